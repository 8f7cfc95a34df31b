"""A webhook: what it wants to hear of, and what it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from webexsandbox import timeline
from webexsandbox.cast import Person
from webexsandbox.ids import Ids

RESOURCES = ("memberships", "messages", "rooms", "all")
EVENTS = ("created", "updated", "deleted", "all")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
MOST_FAILURES = 100  # deliveries in a row; then it becomes inactive


@dataclass(slots=True)
class Webhook:
    """Belongs to the person who registered it. Targets on other machines are never called."""

    number: int
    owner: Person
    name: str
    target: str
    resource: str
    event: str
    filter: str | None
    secret: str | None
    created_ms: int
    failures: int = 0

    @property
    def is_local(self) -> bool:
        return urlsplit(self.target).hostname in LOCAL_HOSTS

    @property
    def is_active(self) -> bool:
        return self.failures < MOST_FAILURES

    def wants(self, resource: str, event: str, data: Mapping[str, Any]) -> bool:
        return (
            self.is_local
            and self.is_active
            and self.resource in (resource, "all")
            and self.event in (event, "all")
            and all(str(data.get(name)) == value for name, value in parse_qsl(self.filter or ""))
        )

    def show(self, ids: Ids) -> dict[str, Any]:
        """The webhook as the API has it."""
        fields = {
            "id": ids.of("WEBHOOK", self.number),
            "name": self.name,
            "targetUrl": self.target,
            "resource": self.resource,
            "event": self.event,
            "orgId": ids.of("ORGANIZATION", 0),
            "createdBy": ids.of("PEOPLE", self.owner.number),
            "ownedBy": "creator",
            "status": "active" if self.is_active else "inactive",
            "created": timeline.iso(self.created_ms),
        }
        if self.filter is not None:
            fields["filter"] = self.filter
        if self.secret is not None:
            fields["secret"] = self.secret
        return fields

    def notice(
        self, ids: Ids, actor: Person, resource: str, event: str, data: Mapping[str, Any]
    ) -> bytes:
        """The body of a call. Like Webex's, it says which message, not what it says."""
        fields = self.show(ids)
        fields.pop("secret", None)
        hidden = ("text", "markdown", "html", "attachments") if resource == "messages" else ()
        fields |= {
            "resource": resource,
            "event": event,
            "actorId": ids.of("PEOPLE", actor.number),
            "data": {name: value for name, value in data.items() if name not in hidden},
        }
        return json.dumps(fields, ensure_ascii=False).encode()

    def signature(self, body: bytes) -> str | None:
        """The header X-Spark-Signature."""
        if self.secret is None:
            return None
        return hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
