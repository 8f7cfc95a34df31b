"""The resources of the Webex API: a class each, a line or two for each call.

To add one: a struct in webex/types.py, a class here, an attribute of WebexTeamsAsyncAPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from urllib.parse import quote

from app.webex.listing import Listing
from app.webex.types import Membership, Message, MessageStamp, Person, Room, RoomName, Team, Webhook

if TYPE_CHECKING:
    from app.webexteamsasyncapi import WebexTeamsAsyncAPI

T = TypeVar("T")
M = TypeVar("M", bound=MessageStamp)
R = TypeVar("R", bound=RoomName)

MAX_TEXT_BYTES = 7439  # of a message's text, as UTF-8
MAX_MENTIONS_PAGE = 100  # messages a page where `mentionedPeople` filters


class Resource(Generic[T]):
    """What the resources share. Calls return structs and raise WebexError."""

    path: ClassVar[str]

    def __init__(self, api: WebexTeamsAsyncAPI, kind: type[T]) -> None:
        self._api = api
        self._kind = kind

    async def get(self, id: str) -> T:
        return await self._api.request("GET", self._one(id), self._kind)

    async def _create(self, **fields: object) -> T:
        return await self._api.request("POST", self.path, self._kind, body=given(fields))

    async def _update(self, id: str, **fields: object) -> T:
        return await self._api.request("PUT", self._one(id), self._kind, body=given(fields))

    async def _delete(self, id: str) -> None:
        await self._api.request("DELETE", self._one(id), None)

    def _list(self, **params: object) -> Listing[T]:
        return Listing(self._api, self.path, self._kind, query(params))

    def _one(self, id: str) -> str:
        if id in ("", ".", ".."):
            raise ValueError(f"{id!r} is no id: {self.path}/{id} would be another call")
        return f"{self.path}/{quote(id, safe='')}"


class People(Resource[Person]):
    path = "people"

    def list(
        self,
        *,
        email: str | None = None,
        display_name: str | None = None,
        id: str | None = None,
        org_id: str | None = None,
        max: int | None = None,
    ) -> Listing[Person]:
        """Who is not an administrator must give `email`, `display_name` (its start) or `id`."""
        return self._list(email=email, display_name=display_name, id=id, org_id=org_id, max=max)

    async def me(self) -> Person:
        return await self.get("me")


class Rooms(Resource[Room]):
    path = "rooms"

    def list(
        self,
        *,
        team_id: str | None = None,
        type: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        sort_by: str | None = None,
        max: int | None = None,
    ) -> Listing[Room]:
        """`type` is direct or group; `sort_by` is id, lastactivity or created; `max` 1–1000."""
        return self.listed_as(
            Room, team_id=team_id, type=type, from_=from_, to=to, sort_by=sort_by, max=max
        )

    def listed_as(self, kind: type[R], **params: object) -> Listing[R]:
        """As `list`, with the fields of `kind` only."""
        return Listing(self._api, self.path, kind, query(params))

    async def create(self, title: str, *, team_id: str | None = None) -> Room:
        return await self._create(title=title, team_id=team_id)

    async def update(self, id: str, *, title: str) -> Room:
        return await self._update(id, title=title)

    async def delete(self, id: str) -> None:
        await self._delete(id)


class Messages(Resource[Message]):
    path = "messages"

    def list(
        self,
        room_id: str,
        *,
        parent_id: str | None = None,
        mentioned_people: str | None = None,
        before: str | None = None,
        before_message: str | None = None,
        max: int | None = None,
    ) -> Listing[Message]:
        """The messages of a room, newest first; there is no other order."""
        return self.listed_as(
            Message,
            room_id,
            parent_id=parent_id,
            mentioned_people=mentioned_people,
            before=before,
            before_message=before_message,
            max=max,
        )

    def listed_as(
        self, kind: type[M], room_id: str, *, max: int | None = None, **params: object
    ) -> Listing[M]:
        """As `list`, with the fields of `kind` only: MessageStamp is three times as fast."""
        if params.get("mentioned_people") and max is not None:
            max = min(max, MAX_MENTIONS_PAGE)
        sent = query({"room_id": room_id, "max": max, **params})
        return Listing(self._api, self.path, kind, sent, newest_first=True)

    def direct(
        self,
        *,
        person_id: str | None = None,
        person_email: str | None = None,
        parent_id: str | None = None,
    ) -> Listing[Message]:
        """The messages of the direct room with one person."""
        _exactly_one(person_id=person_id, person_email=person_email)
        params = query(
            {"person_id": person_id, "person_email": person_email, "parent_id": parent_id}
        )
        return Listing(self._api, "messages/direct", Message, params, newest_first=True)

    async def create(
        self,
        *,
        room_id: str | None = None,
        to_person_id: str | None = None,
        to_person_email: str | None = None,
        parent_id: str | None = None,
        text: str | None = None,
        markdown: str | None = None,
        files: Sequence[str] | None = None,
        attachments: Sequence[dict[str, Any]] | None = None,
    ) -> Message:
        """Post to a room or a person. `files` are public URLs, one at most."""
        _exactly_one(room_id=room_id, to_person_id=to_person_id, to_person_email=to_person_email)
        _check_texts(text, markdown)
        return await self._create(
            room_id=room_id,
            to_person_id=to_person_id,
            to_person_email=to_person_email,
            parent_id=parent_id,
            text=text,
            markdown=markdown,
            files=files,
            attachments=attachments,
        )

    async def edit(
        self, id: str, *, room_id: str, text: str | None = None, markdown: str | None = None
    ) -> Message:
        """Replace the text; Webex allows ten edits of a message."""
        _check_texts(text, markdown)
        return await self._update(id, room_id=room_id, text=text, markdown=markdown)

    async def delete(self, id: str) -> None:
        await self._delete(id)


class Memberships(Resource[Membership]):
    path = "memberships"

    def list(
        self,
        *,
        room_id: str | None = None,
        person_id: str | None = None,
        person_email: str | None = None,
        max: int | None = None,
    ) -> Listing[Membership]:
        """One's own, or those of a room; `person_id` and `person_email` need a room."""
        if (person_id or person_email) and not room_id:
            raise ValueError("person_id and person_email need room_id")
        return self._list(room_id=room_id, person_id=person_id, person_email=person_email, max=max)

    async def create(
        self,
        room_id: str,
        *,
        person_id: str | None = None,
        person_email: str | None = None,
        is_moderator: bool | None = None,
    ) -> Membership:
        """Add a person to a room. Raises Conflict if the person is there already."""
        _exactly_one(person_id=person_id, person_email=person_email)
        return await self._create(
            room_id=room_id,
            person_id=person_id,
            person_email=person_email,
            is_moderator=is_moderator,
        )

    async def update(self, id: str, *, is_moderator: bool) -> Membership:
        return await self._update(id, is_moderator=is_moderator)

    async def delete(self, id: str) -> None:
        await self._delete(id)


class Teams(Resource[Team]):
    path = "teams"

    def list(self, *, max: int | None = None) -> Listing[Team]:
        return self._list(max=max)

    async def create(self, name: str) -> Team:
        return await self._create(name=name)

    async def update(self, id: str, *, name: str) -> Team:
        return await self._update(id, name=name)

    async def delete(self, id: str) -> None:
        await self._delete(id)


class Webhooks(Resource[Webhook]):
    path = "webhooks"

    def list(self, *, owned_by: str | None = None, max: int | None = None) -> Listing[Webhook]:
        return self._list(owned_by=owned_by, max=max)

    async def create(
        self,
        *,
        name: str,
        target_url: str,
        resource: str,
        event: str,
        filter: str | None = None,
        secret: str | None = None,
    ) -> Webhook:
        return await self._create(
            name=name,
            target_url=target_url,
            resource=resource,
            event=event,
            filter=filter,
            secret=secret,
        )

    async def update(
        self, id: str, *, name: str, target_url: str, secret: str | None = None
    ) -> Webhook:
        return await self._update(id, name=name, target_url=target_url, secret=secret)

    async def delete(self, id: str) -> None:
        await self._delete(id)


def given(fields: dict[str, object]) -> dict[str, object]:
    """The fields that have a value, under the API's names: room_id is roomId."""
    return {_camel(name): value for name, value in fields.items() if value is not None}


def query(params: dict[str, object]) -> dict[str, str]:
    """Parameters as they stand in a URL."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in given(params).items()
    }


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(map(str.capitalize, rest))


def _exactly_one(**choices: str | None) -> None:
    if sum(value is not None for value in choices.values()) != 1:
        raise ValueError(f"give exactly one of {', '.join(choices)}")


def _check_texts(*texts: str | None) -> None:
    for text in texts:
        size = len((text or "").encode())
        if size > MAX_TEXT_BYTES:
            raise ValueError(f"a text of {size:,} bytes; Webex takes {MAX_TEXT_BYTES:,}")
