"""Links: read without a log-in, until they end; they tell no more than words."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from tests.factories.chat import make_answer, make_message, settle
from tests.factories.documents import make_document

from dossier.chat.gateway import rooms as gateway
from dossier.chat.models import ChatMessage
from dossier.chat.service.shares import NOBODY, new_token, token_sha256
from dossier.core.clock import now
from dossier.core.database import (
    SessionFactory,
    tenant_transaction,
)

pytestmark = pytest.mark.usefixtures("acting_members")

ROOMS = "/api/v1/chat/rooms"
SHARED = "/api/v1/chat/shared"
CITATION = {
    "number": 1,
    "document_id": str(UUID(int=5)),
    "filename": "inci.pdf",
    "page": 3,
    "label": None,
    "quote": "Phenoxyethanol 0.8 %",
}


@pytest.fixture
async def question(sessions: SessionFactory, org_id: UUID) -> ChatMessage:
    return await make_message(sessions, org_id)


@pytest.fixture
async def answer(
    sessions: SessionFactory, org_id: UUID, question: ChatMessage
) -> ChatMessage:
    answer = await make_answer(sessions, org_id, question)
    await make_document(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(
            text("update documents set id = :id"), {"id": UUID(int=5)}
        )
    await settle(sessions, org_id, answer.id, "It is.", citations=[CITATION])
    return answer


async def made(
    client: httpx2.AsyncClient, room_id: UUID, **body: Any
) -> dict[str, Any]:
    made = await client.post(f"{ROOMS}/{room_id}/shares", json=body)
    assert made.status_code == httpx2.codes.CREATED, made.text
    shown: dict[str, Any] = made.json()
    return shown


def texts(answer: httpx2.Response) -> list[str]:
    return [each["text"] for each in answer.json()["messages"]]


async def test_shared_link_shows_the_room_as_it_was(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    share = await made(client, answer.room_id)
    await make_message(sessions, org_id, room_id=answer.room_id, text="Later")

    seen = await anonymous_client.get(share["url"])

    assert texts(seen) == ["Is it safe?", "It is."]
    assert seen.json()["messages"][1]["sender"] == {
        "kind": "virtual_user",
        "name": "Dossier",
    }
    shown = {name: each for name, each in CITATION.items() if name != "document_id"}
    assert seen.json()["messages"][1]["citations"] == [
        shown | {"mark_start": None, "mark_end": None}
    ]
    assert seen.headers["cache-control"] == "private, no-store"
    assert seen.headers["referrer-policy"] == "no-referrer"


async def test_shared_room_shows_no_id_and_no_address(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    share = await made(client, answer.room_id)

    seen = (await anonymous_client.get(share["url"])).text

    for secret in (org_id, answer.id, answer.room_id, CITATION["document_id"], "@"):
        assert str(secret) not in seen


async def test_one_answer_is_shown_with_its_question_alone(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    asked = await make_message(
        sessions, org_id, room_id=answer.room_id, text="And then?"
    )
    second = await make_answer(sessions, org_id, asked)
    await settle(sessions, org_id, second.id, "Then too.")

    share = await made(client, answer.room_id, message_id=str(second.id))

    seen = await anonymous_client.get(share["url"])
    assert texts(seen) == ["And then?", "Then too."]


async def test_a_question_is_shown_without_the_answer_before_it(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    asked = await make_message(
        sessions, org_id, room_id=answer.room_id, text="And then?"
    )

    share = await made(client, answer.room_id, message_id=str(asked.id))

    assert texts(await anonymous_client.get(share["url"])) == ["And then?"]


async def test_share_token_is_returned_once_and_not_stored(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    share = await made(client, answer.room_id, expires_in_days=30)

    listed = await client.get(f"{ROOMS}/{answer.room_id}/shares")

    assert share["token"] not in listed.text
    expected = {n: v for n, v in share.items() if n not in {"token", "url"}}
    assert listed.json()["items"] == [expected]
    async with tenant_transaction(sessions, org_id) as session:
        (kept,) = await gateway.list_shares_for_org(session, org_id, answer.room_id)
    assert kept.token_sha256 == token_sha256(share["token"])
    assert timedelta(29) < kept.expires_at - now() <= timedelta(30)


async def test_expired_link_is_answered_like_an_unknown_one(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    revoked = await made(client, answer.room_id)
    expired = await made(client, answer.room_id)
    await client.delete(f"/api/v1/chat/shares/{revoked['id']}")
    await expire(sessions, org_id, UUID(expired["id"]))

    answers = [
        await anonymous_client.get(f"{SHARED}/{token}")
        for token in (revoked["token"], expired["token"], new_token())
    ]

    bodies = [
        {name: each.json()[name] for name in ("type", "status", "detail")}
        for each in answers
    ]
    assert bodies[0]["type"] == "/problems/chat-share-not-found"
    assert bodies == [bodies[0]] * 3


async def expire(sessions: SessionFactory, org_id: UUID, share_id: UUID) -> None:
    async with tenant_transaction(sessions, org_id) as session:
        share = await gateway.get_share_for_org(session, org_id, share_id)
        assert share is not None
        share.expires_at = now() - timedelta(seconds=1)


async def test_a_deleted_message_is_shown_no_more(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    question: ChatMessage,
    answer: ChatMessage,
) -> None:
    room = await made(client, answer.room_id)
    alone = await made(client, answer.room_id, message_id=str(question.id))

    await client.delete(f"/api/v1/chat/messages/{question.id}")

    assert texts(await anonymous_client.get(room["url"])) == ["It is."]
    gone = await anonymous_client.get(alone["url"])
    assert gone.status_code == httpx2.codes.NOT_FOUND


async def test_a_link_to_a_deleted_room_is_gone(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    answer: ChatMessage,
) -> None:
    share = await made(client, answer.room_id)

    await client.delete(f"{ROOMS}/{answer.room_id}")

    gone = await anonymous_client.get(share["url"])
    assert gone.status_code == httpx2.codes.NOT_FOUND


async def test_an_empty_room_and_an_unfinished_answer_are_not_shared(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    question: ChatMessage,
) -> None:
    empty = await client.post(ROOMS, json={"title": "Empty"})
    pending = await make_answer(sessions, org_id, question)

    nothing = await client.post(f"{ROOMS}/{empty.json()['id']}/shares")
    early = await client.post(
        f"{ROOMS}/{question.room_id}/shares", json={"message_id": str(pending.id)}
    )

    assert nothing.json()["type"] == "/problems/nothing-to-share"
    assert early.json()["type"] == "/problems/answer-pending"


async def test_a_message_of_another_room_is_not_shared_with_this_one(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    elsewhere = await make_message(sessions, org_id)

    refused = await client.post(
        f"{ROOMS}/{answer.room_id}/shares", json={"message_id": str(elsewhere.id)}
    )

    assert refused.json()["type"] == "/problems/chat-message-not-found"


async def test_a_link_can_be_ended_twice(
    client: httpx2.AsyncClient, answer: ChatMessage
) -> None:
    share = await made(client, answer.room_id)
    path = f"/api/v1/chat/shares/{share['id']}"

    ended = [(await client.delete(path)).status_code for _ in range(2)]

    assert ended == [httpx2.codes.NO_CONTENT] * 2
    unknown = await client.delete(f"/api/v1/chat/shares/{UUID(int=9)}")
    assert unknown.json()["type"] == "/problems/chat-share-not-found"


async def test_database_function_returns_only_the_organisation_of_a_token(
    client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    other_org_id: UUID,
    answer: ChatMessage,
) -> None:
    """The function crosses organisations; nothing else does, before or after it."""
    share = await made(client, answer.room_id)
    known, unknown = token_sha256(share["token"]), token_sha256("invented")
    count = text("select count(*) from chat_shares")
    role = text("select current_user")

    for asking in (NOBODY, other_org_id):
        async with tenant_transaction(sessions, asking) as session:
            seen = [await session.scalar(count)]
            told = [
                await gateway.get_org_of_share_for_system(session, each)
                for each in (known, unknown, "%")
            ]
            seen.append(await session.scalar(count))
            assert await session.scalar(role) == "dossier_app"
        assert (told, seen) == ([org_id, None, None], [0, 0])


async def test_a_reading_is_recorded(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    answer: ChatMessage,
) -> None:
    share = await made(client, answer.room_id)

    await anonymous_client.get(share["url"])

    trail = (await client.get("/api/v1/activity")).json()["items"]
    told = [(e["action"], e["entity_type"], e["entity_id"]) for e in trail[:2]]
    assert told == [
        ("view", "chat_share", share["id"]),
        ("create", "chat_share", share["id"]),
    ]
    assert share["token"] not in str(trail)


@pytest.mark.parametrize(
    "change",
    [
        "update documents set archived_at = now() where org_id = :org",
        "delete from documents where org_id = :org",
    ],
    ids=["archived", "deleted"],
)
async def test_link_ends_with_a_document_that_it_cites(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
    change: str,
) -> None:
    share = await made(client, answer.room_id)

    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(text(change), {"org": org_id})

    gone = await anonymous_client.get(share["url"])
    assert gone.status_code == httpx2.codes.NOT_FOUND


@pytest.mark.parametrize(
    "change",
    [
        "update memberships set is_active = false where org_id = :org",
        "delete from memberships where org_id = :org",
    ],
    ids=["deactivated", "removed"],
)
async def test_link_ends_with_the_membership_of_its_maker(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
    change: str,
) -> None:
    share = await made(client, answer.room_id)
    seen = await anonymous_client.get(share["url"])

    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(text(change), {"org": org_id})

    gone = await anonymous_client.get(share["url"])
    assert (seen.status_code, gone.status_code) == (200, 404)


async def test_owner_lists_and_revokes_links_of_rooms_of_others(
    client: httpx2.AsyncClient,
    anonymous_client: httpx2.AsyncClient,
    sessions: SessionFactory,
    org_id: UUID,
    answer: ChatMessage,
) -> None:
    share = await made(client, answer.room_id)
    async with tenant_transaction(sessions, org_id) as session:
        await session.execute(text("delete from chat_members"))

    listed = (await client.get("/api/v1/chat/shares")).json()["items"]
    revoked = await client.delete(f"/api/v1/chat/shares/{share['id']}")

    assert [each["id"] for each in listed] == [share["id"]]
    assert listed[0]["made_by"]
    assert revoked.status_code == httpx2.codes.NO_CONTENT
    gone = await anonymous_client.get(share["url"])
    assert gone.status_code == httpx2.codes.NOT_FOUND
    assert (await client.get("/api/v1/chat/shares")).json()["items"] == []


@pytest.mark.parametrize("days", [True, "3", 2.0])
async def test_expiry_that_is_no_integer_is_refused(
    client: httpx2.AsyncClient, answer: ChatMessage, days: object
) -> None:
    refused = await client.post(
        f"{ROOMS}/{answer.room_id}/shares", json={"expires_in_days": days}
    )

    assert refused.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
