"""What Webex hands out, as structs: unknown fields are ignored, and all but the id may be missing.

Times stay the texts that they are ("2016-04-21T19:12:48.920Z"): they sort as they are, and parsing
300,000 of them takes longer than fetching them.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class Page(Struct, Generic[T], gc=False):
    """One page of a list. An answer without `items` is none."""

    items: list[T]


class Person(Struct, rename="camel", kw_only=True):
    id: str
    emails: list[str] = field(default_factory=list)
    display_name: str | None = None
    nick_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    avatar: str | None = None
    org_id: str | None = None
    created: str | None = None
    last_modified: str | None = None
    last_activity: str | None = None
    status: str | None = None
    type: str | None = None


class RoomName(Struct, rename="camel", kw_only=True, gc=False):
    """Of a room only what names it."""

    id: str
    title: str | None = None
    type: str | None = None


class Room(RoomName, rename="camel", kw_only=True, gc=False):
    is_locked: bool | None = None
    is_public: bool | None = None
    is_announcement_only: bool | None = None
    is_read_only: bool | None = None
    team_id: str | None = None
    creator_id: str | None = None
    owner_id: str | None = None
    description: str | None = None
    created: str | None = None
    last_activity: str | None = None


class MessageStamp(Struct, rename="camel", kw_only=True, gc=False):
    """Of a message only which and when: quick to read by the hundred thousand."""

    id: str
    created: str


class Message(MessageStamp, rename="camel", kw_only=True, gc=True):
    room_id: str | None = None
    room_type: str | None = None
    parent_id: str | None = None
    text: str | None = None
    markdown: str | None = None
    html: str | None = None
    files: list[str] = field(default_factory=list)
    person_id: str | None = None
    person_email: str | None = None
    mentioned_people: list[str] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    updated: str | None = None


class Membership(Struct, rename="camel", kw_only=True, gc=False):
    id: str
    room_id: str | None = None
    person_id: str | None = None
    person_email: str | None = None
    person_display_name: str | None = None
    person_org_id: str | None = None
    is_moderator: bool | None = None
    is_monitor: bool | None = None
    created: str | None = None


class Team(Struct, rename="camel", kw_only=True, gc=False):
    id: str
    name: str | None = None
    description: str | None = None
    created: str | None = None


class Webhook(Struct, rename="camel", kw_only=True, gc=False):
    id: str
    name: str | None = None
    target_url: str | None = None
    resource: str | None = None
    event: str | None = None
    filter: str | None = None
    secret: str | None = None
    owned_by: str | None = None
    status: str | None = None
    created: str | None = None
