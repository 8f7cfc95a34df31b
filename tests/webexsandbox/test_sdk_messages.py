"""Messages, driven by a client that others wrote: WebexPythonSDK."""

from __future__ import annotations

import pytest
from webexpythonsdk import ApiError, WebexAPI

from tests.webexsandbox.conftest import Client


def test_all_messages_come_newest_first_in_pages(ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    messages = list(ada.messages.list(room.id, max=100))  # three pages
    assert len({message.id for message in messages}) == len(messages) == 250
    created = [message.created for message in messages]
    assert created == sorted(created, reverse=True)
    assert room.lastActivity == created[0]
    assert all(m.text and m.personEmail.endswith("@sandbox.example") for m in messages)
    of_default_pages = [message.id for message in ada.messages.list(room.id)]
    assert of_default_pages == [message.id for message in messages]


def test_messages_before_a_time_or_a_message(ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    all_of_them = list(ada.messages.list(room.id, max=1000))
    middle = all_of_them[100]
    expected = [message.id for message in all_of_them[101:]]
    stamp = f"{middle.created:%Y-%m-%dT%H:%M:%S}.{middle.created.microsecond // 1000:03}Z"
    by_time = ada.messages.list(room.id, before=stamp, max=60)
    assert [message.id for message in by_time] == expected
    # In one page: this client goes round in a circle if there are more (2.0.6).
    first_page = list(ada.messages.list(room.id, beforeMessage=middle.id, max=1000))
    assert [message.id for message in first_page] == expected


def test_messages_before_one_that_was_written(ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    sent = [ada.messages.create(room.id, text=str(number)) for number in range(3)]
    # In one page: this client goes round in a circle if there are more (2.0.6).
    found = [m.id for m in ada.messages.list(room.id, beforeMessage=sent[1].id, max=1000)]
    assert found[0] == sent[0].id
    assert len(found) == 251
    assert len(list(ada.messages.list(room.id, before="2100-01-01T00:00:00Z", max=100))) == 253
    assert len(list(ada.messages.list(room.id, before="2026-01-01T00:00:00Z", max=100))) == 250
    assert not list(ada.messages.list(room.id, before="2000-01-01T00:00:00Z"))


def test_messages_that_mention_a_person_or_answer_one(ada: WebexAPI) -> None:
    me = ada.people.me().id
    mentions = replies = 0
    for room in ada.rooms.list():
        messages = list(ada.messages.list(room.id, max=1000))
        wanted = [m.id for m in messages if me in (m.mentionedPeople or [])]
        found = [m.id for m in ada.messages.list(room.id, mentionedPeople="me", max=2)]
        assert found == wanted
        mentions += len(found)
        parents = {m.parentId for m in messages if m.parentId}
        for parent in parents:
            answers = list(ada.messages.list(room.id, parentId=parent))
            assert [m.parentId for m in answers] == [parent]
        replies += len(parents)
    assert mentions
    assert replies


def test_a_message_lives_and_dies(ada: WebexAPI, ben: WebexAPI) -> None:
    room = next(iter(ada.rooms.list(type="group")))
    message = ada.messages.create(room.id, markdown="**hello** 🎈")
    assert message.personId == ada.people.me().id
    assert next(iter(ben.messages.list(room.id))).id == message.id
    assert ben.rooms.get(room.id).lastActivity == message.created
    answer = ben.messages.create(room.id, text="yes", parentId=message.id)
    assert [m.id for m in ada.messages.list(room.id, parentId=message.id)] == [answer.id]
    edited = ada.messages.update(message.id, room.id, text="hello again")
    assert (edited.text, edited.markdown) == ("hello again", None)
    assert ben.messages.get(message.id).text == "hello again"
    with pytest.raises(ApiError) as error:
        ben.messages.delete(message.id)
    assert error.value.status_code == 403
    ada.messages.delete(message.id)
    with pytest.raises(ApiError) as error:
        ada.messages.get(message.id)
    assert error.value.status_code == 404
    assert len(list(ada.messages.list(room.id, max=100))) == 251


def test_a_generated_message_can_be_edited_and_deleted(ada: WebexAPI) -> None:
    room, mine = next(
        (room, message)
        for room in ada.rooms.list(type="group")
        for message in ada.messages.list(room.id, max=1000)
        if message.personEmail == "ada@sandbox.example"
    )
    ada.messages.update(mine.id, room.id, text="corrected")
    texts = {m.id: m.text for m in ada.messages.list(room.id, max=100)}
    assert texts[mine.id] == "corrected"
    assert len(texts) == 250
    ada.messages.delete(mine.id)
    assert mine.id not in [m.id for m in ada.messages.list(room.id, max=100)]


def test_a_message_can_be_edited_ten_times(ada: WebexAPI) -> None:
    room = next(iter(ada.rooms.list()))
    message = ada.messages.create(room.id, text="0")
    for number in range(1, 11):
        ada.messages.update(message.id, room.id, text=str(number))
    with pytest.raises(ApiError) as error:
        ada.messages.update(message.id, room.id, text="11")
    assert error.value.status_code == 400
    assert ada.messages.get(message.id).text == "10"


def test_direct_messages(ada: WebexAPI, ben: WebexAPI, sdk: Client) -> None:
    before = list(ben.messages.list_direct(personEmail="ada@sandbox.example"))
    assert len(before) == 50
    assert {m.roomType for m in before} == {"direct"}
    assert {m.personEmail for m in before} == {"ada@sandbox.example", "ben@sandbox.example"}
    sent = ada.messages.create(toPersonEmail="ben@sandbox.example", text="psst")
    assert next(iter(ben.messages.list_direct(personId=ada.people.me().id))).id == sent.id
    assert sent.roomId == before[0].roomId
    with pytest.raises(ApiError) as error:
        sdk("sandbox-token-cora").messages.get(sent.id)
    assert error.value.status_code == 404


def test_the_first_direct_message_to_a_guest_makes_a_room(ada: WebexAPI) -> None:
    guest = next(iter(ada.people.list(displayName="Guest01")))
    with pytest.raises(ApiError):
        list(ada.messages.list_direct(personId=guest.id))
    first = ada.messages.create(toPersonId=guest.id, text="one")
    second = ada.messages.create(toPersonId=guest.id, text="two")
    assert first.roomId == second.roomId
    assert ada.rooms.get(first.roomId).title == guest.displayName
    assert [m.text for m in ada.messages.list_direct(personId=guest.id)] == ["two", "one"]
