"""Messages: a tree in a room, said by exactly one sender."""

from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from sqlalchemy.exc import IntegrityError
from tests.chat.conftest import Person
from tests.factories.chat import make_answer, make_message, make_room, settle
from tests.factories.documents import make_document

from dossier.chat.constants import MessageState
from dossier.chat.exceptions import AnswerPendingError, NoQuestionError
from dossier.chat.gateway import messages as branch_gateway
from dossier.chat.models import ChatMessage
from dossier.chat.service.messages import MessagesService
from dossier.chat.service.people import PersonasService
from dossier.chat.service.rooms import Memberships
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents import gateway as documents_gateway

ROOMS = "/api/v1/chat/rooms"
MESSAGES = "/api/v1/chat/messages"


def slug_of(answer: httpx2.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def said(
    client: httpx2.AsyncClient, room_id: object, **body: Any
) -> dict[str, Any]:
    answer = await client.post(f"{ROOMS}/{room_id}/messages", json=body)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def texts(client: httpx2.AsyncClient, room_id: object, **query: Any) -> list[str]:
    answer = await client.get(f"{ROOMS}/{room_id}/messages", params=query)
    return [each["text"] for each in answer.json()["items"]]


@pytest.fixture
async def room_id(sessions: SessionFactory, org_id: UUID) -> UUID:
    return (await make_room(sessions, org_id)).id


async def test_a_message_is_shown_with_its_sender(
    client: httpx2.AsyncClient, room_id: UUID
) -> None:
    shown = await said(client, room_id, text=" Is it safe?\n")

    assert shown["text"] == "Is it safe?"
    assert shown["state"] == "complete"
    assert (shown["sender"]["kind"], shown["sender"]["name"]) == ("user", "Mei")
    assert (await client.get(f"{MESSAGES}/{shown['id']}")).json() == shown


@pytest.mark.parametrize("senders", ["both", "neither"])
async def test_the_database_takes_exactly_one_sender(
    sessions: SessionFactory, session: Session, org_id: UUID, senders: str
) -> None:
    question = await make_message(sessions, org_id)
    answer = await make_answer(sessions, org_id, question)
    has_sender = senders == "both"
    message = ChatMessage(
        org_id=org_id,
        room_id=question.room_id,
        profile_id=question.profile_id if has_sender else None,
        virtual_user_id=answer.virtual_user_id if has_sender else None,
    )

    with pytest.raises(IntegrityError) as caught:
        async with session.begin_nested():
            await branch_gateway.add_message(session, message)

    cause = caught.value.orig.__cause__ if caught.value.orig else None
    assert isinstance(cause, asyncpg.CheckViolationError)
    assert cause.constraint_name == "ck_chat_messages_one_sender"


async def test_the_database_keeps_a_branch_in_its_room(
    sessions: SessionFactory, session: Session, org_id: UUID, room_id: UUID
) -> None:
    elsewhere = await make_message(sessions, org_id)
    message = ChatMessage(
        org_id=org_id,
        room_id=room_id,
        parent_id=elsewhere.id,
        profile_id=elsewhere.profile_id,
    )

    with pytest.raises(IntegrityError):
        async with session.begin_nested():
            await branch_gateway.add_message(session, message)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("", "message-empty"),
        (" \n\t", "message-empty"),
        ("\u200b\u3000", "message-empty"),
        ("a\x07b", "request-invalid"),
        ("a\x00b", "request-invalid"),
        ("a\u202eb", "request-invalid"),
        ("x" * 32_001, "message-too-long"),
        ("x" * 1_000_000, "message-too-long"),
    ],
    ids=["empty", "blank", "unseen", "bell", "nul", "turned", "long", "megabyte"],
)
async def test_a_bad_message_is_named_and_nothing_is_stored(
    client: httpx2.AsyncClient, room_id: UUID, text: str, slug: str
) -> None:
    answer = await client.post(f"{ROOMS}/{room_id}/messages", json={"text": text})

    assert (answer.status_code, slug_of(answer)) == (422, slug)
    assert answer.json()["errors"][0]["pointer"] == "#/text"
    assert await texts(client, room_id) == []


async def test_the_longest_message_that_is_taken_is_a_setting(
    client: httpx2.AsyncClient, settings: Settings, room_id: UUID
) -> None:
    length = settings.chat.max_message_characters

    assert len((await said(client, room_id, text="水" * length))["text"]) == length


async def test_an_unknown_room_or_parent_is_not_found(
    client: httpx2.AsyncClient, room_id: UUID
) -> None:
    nowhere = UUID(int=7)

    room = await client.post(f"{ROOMS}/{nowhere}/messages", json={"text": "?"})
    parent = await client.post(
        f"{ROOMS}/{room_id}/messages", json={"text": "?", "parent_id": str(nowhere)}
    )

    assert slug_of(room) == "chat-room-not-found"
    assert slug_of(parent) == "chat-message-not-found"


async def test_a_branch_is_read_page_by_page_from_its_end(
    client: httpx2.AsyncClient, room_id: UUID
) -> None:
    for number in range(5):
        await said(client, room_id, text=str(number))

    pages, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"{ROOMS}/{room_id}/messages", params=query)).json()
        pages.append([each["text"] for each in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_cursor_of_another_room_is_not_found(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, room_id: UUID
) -> None:
    elsewhere = await make_message(sessions, org_id)

    answer = await client.get(
        f"{ROOMS}/{room_id}/messages", params={"cursor": str(elsewhere.id)}
    )

    assert slug_of(answer) == "chat-message-not-found"


async def test_an_edited_message_begins_another_branch(
    client: httpx2.AsyncClient, room_id: UUID
) -> None:
    await said(client, room_id, text="a")
    asked = await said(client, room_id, text="b")
    await said(client, room_id, text="c")

    edited = (
        await client.patch(f"{MESSAGES}/{asked['id']}", json={"text": "b again"})
    ).json()

    assert (edited["version"], edited["supersedes_id"]) == (2, asked["id"])
    assert edited["edited_at"] is not None
    assert await texts(client, room_id) == ["b again", "a"]
    beside = (await client.get(f"{MESSAGES}/{edited['id']}/branches")).json()["items"]
    assert [each["message"]["text"] for each in beside] == ["b", "b again"]
    leaves = [await texts(client, room_id, leaf_id=e["leaf_id"]) for e in beside]
    assert leaves == [["c", "b", "a"], ["b again", "a"]]


async def test_only_ones_own_message_can_be_edited(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    shown = await said(client, group, text="Mine")

    edited = await ann.client.patch(f"{MESSAGES}/{shown['id']}", json={"text": "Hers"})
    deleted = await ann.client.delete(f"{MESSAGES}/{shown['id']}")

    assert (slug_of(edited), slug_of(deleted)) == ("not-your-message",) * 2


async def test_a_deleted_message_keeps_its_place_without_its_words(
    client: httpx2.AsyncClient, room_id: UUID
) -> None:
    first = await said(client, room_id, text="A secret")
    await said(client, room_id, text="An answer")

    await client.delete(f"{MESSAGES}/{first['id']}")

    assert await texts(client, room_id) == ["An answer", ""]
    path = f"{MESSAGES}/{first['id']}"
    edited = await client.patch(path, json={"text": "Back"})
    rated = await client.put(f"{path}/feedback", json={"rating": "up"})
    assert (slug_of(edited), slug_of(rated)) == ("chat-message-not-found",) * 2


async def test_a_branch_goes_on_in_a_room_of_ones_own(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    await said(client, group, text="a")
    middle = await said(client, group, text="b")
    await said(client, group, text="c")

    made = await ann.client.post(f"{MESSAGES}/{middle['id']}/branches")

    room = made.json()
    assert (room["kind"], room["branched_from_id"]) == ("private", middle["id"])
    assert await texts(ann.client, room["id"]) == ["b", "a"]
    await said(ann.client, room["id"], text="aside")
    assert await texts(client, group) == ["c", "b", "a"]
    assert (await client.get(f"{ROOMS}/{room['id']}")).status_code == 404


async def test_message_is_ordered_after_the_newest_despite_the_clock(
    sessions: SessionFactory, session: Session, org_id: UUID
) -> None:
    first = await make_message(sessions, org_id)
    newest = await branch_gateway.get_newest_message_for_org(
        session, org_id, first.room_id
    )
    assert newest is not None
    newest.created_at = newest.created_at.replace(year=newest.created_at.year + 1)
    await session.flush()

    later = await make_message(sessions, org_id, room_id=first.room_id, text="Later")

    found = await branch_gateway.get_newest_message_for_org(
        session, org_id, first.room_id
    )
    assert found is not None
    assert (found.id, found.parent_id) == (later.id, first.id)


async def test_a_document_is_sent_along(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, room_id: UUID
) -> None:
    document = await make_document(sessions, org_id, filename="inci.pdf")
    async with tenant_transaction(sessions, org_id) as session:
        await documents_gateway.mark_read_for_org(
            session, org_id, document.id, page_count=1, encoding=None
        )

    shown = await said(client, room_id, text="See", document_ids=[str(document.id)])
    edited = await client.patch(f"{MESSAGES}/{shown['id']}", json={"text": "Look"})

    sent = [{"document_id": str(document.id), "filename": "inci.pdf"}]
    assert shown["attachments"] == edited.json()["attachments"] == sent


async def test_a_document_still_being_read_is_named_and_nothing_is_stored(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID, room_id: UUID
) -> None:
    document = await make_document(sessions, org_id, filename="slow.pdf")

    answer = await client.post(
        f"{ROOMS}/{room_id}/messages",
        json={"text": "See", "document_ids": [str(document.id)]},
    )

    assert (answer.status_code, slug_of(answer)) == (409, "attachment-not-ready")
    assert "slow.pdf" in answer.json()["detail"]
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (
        "#/document_ids/0",
        "attachment_not_ready",
    )
    assert await texts(client, room_id) == []


async def test_a_document_of_another_organisation_is_not_sent(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    other_org_id: UUID,
    room_id: UUID,
) -> None:
    document = await make_document(sessions, other_org_id)

    answer = await client.post(
        f"{ROOMS}/{room_id}/messages",
        json={"text": "See", "document_ids": [str(document.id)]},
    )

    assert slug_of(answer) == "document-not-found"


async def test_feedback_is_each_readers_own_and_can_be_put_again(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    shown = await said(client, group, text="?")
    path = f"{MESSAGES}/{shown['id']}"

    put = [
        await client.put(f"{path}/feedback", json={"rating": rating})
        for rating in ("up", "down", "down")
    ]

    assert [each.json()["rating"] for each in put] == ["up", "down", "down"]
    assert (await client.get(path)).json()["my_rating"] == "down"
    assert (await ann.client.get(path)).json()["my_rating"] is None
    await client.delete(f"{path}/feedback")
    assert (await client.get(path)).json()["my_rating"] is None


@pytest.fixture
async def asked(sessions: SessionFactory, org_id: UUID) -> ChatMessage:
    return await make_message(sessions, org_id)


@pytest.fixture
def service(session: Session, actor: Actor) -> MessagesService:
    return MessagesService(session, actor, 1000)


async def test_answer_is_recorded_once(
    sessions: SessionFactory, org_id: UUID, asked: ChatMessage
) -> None:
    answer = await make_answer(sessions, org_id, asked)

    first = await settle(sessions, org_id, answer.id, "Yes.")
    second = await settle(sessions, org_id, answer.id, "No.")

    assert (first, second) == (True, False)


async def test_an_answer_given_anew_stands_beside_the_earlier_one(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    service: MessagesService,
    org_id: UUID,
    asked: ChatMessage,
) -> None:
    answer = await make_answer(sessions, org_id, asked)
    await settle(sessions, org_id, answer.id, "Yes.")

    _, question, earlier = await service.prepare_regeneration(answer.id)
    again = await make_answer(sessions, org_id, question)

    assert question.id == asked.id
    assert earlier is not None
    assert (again.version, again.supersedes_id) == (2, answer.id)
    assert again.state == MessageState.PENDING
    assert await texts(client, asked.room_id) == ["", "Is it safe?"]


async def test_another_virtual_users_answer_is_no_newer_version(
    sessions: SessionFactory,
    session: Session,
    service: MessagesService,
    actor: Actor,
    asked: ChatMessage,
) -> None:
    await make_answer(sessions, actor.org_id, asked)
    membership = await Memberships(session, actor).lock(asked.room_id)
    other = await PersonasService(session, actor).create_persona({"name": "Lin"})

    answer = await service.add_pending_answer(membership, other, asked, None)

    assert (answer.version, answer.supersedes_id) == (1, None)


async def test_a_question_itself_can_be_answered_anew(
    service: MessagesService, asked: ChatMessage
) -> None:
    _, question, earlier = await service.prepare_regeneration(asked.id)

    assert (question.id, earlier) == (asked.id, None)


async def test_an_answer_still_being_written_is_not_given_anew(
    sessions: SessionFactory,
    service: MessagesService,
    org_id: UUID,
    asked: ChatMessage,
) -> None:
    answer = await make_answer(sessions, org_id, asked)

    with pytest.raises(AnswerPendingError):
        await service.prepare_regeneration(answer.id)


async def test_an_answer_to_a_deleted_question_is_not_given_anew(
    sessions: SessionFactory,
    service: MessagesService,
    org_id: UUID,
    asked: ChatMessage,
) -> None:
    answer = await make_answer(sessions, org_id, asked)
    await settle(sessions, org_id, answer.id, "Yes.")
    await service.delete_message(asked.id)

    with pytest.raises(NoQuestionError):
        await service.prepare_regeneration(answer.id)


async def test_deleted_answer_is_not_recorded(
    sessions: SessionFactory,
    service: MessagesService,
    org_id: UUID,
    asked: ChatMessage,
) -> None:
    answer = await make_answer(sessions, org_id, asked)
    await service.delete_message(answer.id)

    assert not await settle(sessions, org_id, answer.id, "Too late.")


async def test_an_answer_to_nothing_is_not_given_anew(
    sessions: SessionFactory,
    session: Session,
    service: MessagesService,
    org_id: UUID,
    asked: ChatMessage,
) -> None:
    answer = await make_answer(sessions, org_id, asked)
    greeting = ChatMessage(
        org_id=org_id,
        room_id=asked.room_id,
        virtual_user_id=answer.virtual_user_id,
        text="Good morning.",
    )
    await branch_gateway.add_message(session, greeting)

    with pytest.raises(NoQuestionError):
        await service.prepare_regeneration(greeting.id)
