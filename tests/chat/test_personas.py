"""Virtual users: their owner's alone, and they read no more than their owner."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.chat.conftest import Person
from tests.factories.chat import make_answer, make_message, make_room, member_of
from tests.factories.documents import make_document
from tests.factories.products import make_product

from dossier.accounts import gateway as accounts_gateway
from dossier.chat.exceptions import ChatRoomNotFoundError, VirtualUserNotFoundError
from dossier.chat.gateway import rooms as rooms_gateway
from dossier.chat.models import ChatRoom, VirtualUser
from dossier.chat.service.branches import BranchesService
from dossier.chat.service.messages import MessagesService
from dossier.chat.service.people import PersonasService
from dossier.chat.service.rooms import Memberships, MembersService, RoomsService
from dossier.chat.service.scopes import ScopesService
from dossier.chat.types import AnswerScope
from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.documents import gateway as documents_gateway

PERSONAS = "/api/v1/chat/virtual-users"
LIN = {
    "name": "Dr. Lin",
    "personality": "patient",
    "tone": "plain",
    "knowledge_areas": ["preservatives", "防腐劑"],
    "backstory": "Ten years in a laboratory.",
    "language": "zh-TW",
}


async def made(client: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await client.post(PERSONAS, json=LIN)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def persona_of(
    session: Session, actor: Actor, virtual_user_id: str
) -> VirtualUser:
    return await PersonasService(session, actor).get_persona(UUID(virtual_user_id))


async def scope_of(
    session: Session,
    actor: Actor,
    room: ChatRoom,
    persona: VirtualUser,
    leaf_id: UUID | None = None,
) -> AnswerScope:
    membership = await Memberships(session, actor).get(room.id)
    scopes = ScopesService(session, actor)
    return (await scopes.scope_at(membership, persona.id, leaf_id=leaf_id))[1]


async def test_a_virtual_user_is_as_it_was_described(
    client: httpx2.AsyncClient,
) -> None:
    shown = await made(client)

    assert {name: shown[name] for name in LIN} == LIN
    assert (await client.get(f"{PERSONAS}/{shown['id']}")).json() == shown


async def test_everybody_has_one_assistant_of_their_own(
    client: httpx2.AsyncClient, ann: Person
) -> None:
    seen = [
        (await each.get(PERSONAS)).json()["items"]
        for each in (client, client, ann.client)
    ]

    assert [[e["is_default"] for e in items] for items in seen] == [[True]] * 3
    assert seen[0] == seen[1]
    assert seen[0][0]["id"] != seen[2][0]["id"]


async def test_what_is_sent_is_changed(client: httpx2.AsyncClient) -> None:
    shown = await made(client)

    changed = await client.patch(f"{PERSONAS}/{shown['id']}", json={"tone": "dry"})

    assert changed.json() == shown | {"tone": "dry"}


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": None}, {"language": "?"}, {"tone": "a\u202eb"}]
)
async def test_a_bad_description_is_refused(
    client: httpx2.AsyncClient, body: dict[str, Any]
) -> None:
    shown = await made(client)

    answer = await client.patch(f"{PERSONAS}/{shown['id']}", json=body)

    assert answer.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
    assert answer.json()["errors"][0]["pointer"] == f"#/{next(iter(body))}"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_virtual_user_of_another_person_is_not_found(
    client: httpx2.AsyncClient, ann: Person, method: str
) -> None:
    shown = await made(client)
    body = {"tone": "rude"} if method == "PATCH" else None

    answer = await ann.client.request(method, f"{PERSONAS}/{shown['id']}", json=body)

    assert answer.json()["type"] == "/problems/virtual-user-not-found"


async def test_virtual_user_of_another_person_cannot_be_added_to_a_room(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    shown = await made(ann.client)

    answer = await client.put(f"/api/v1/chat/rooms/{group}/virtual-users/{shown['id']}")

    assert answer.json()["type"] == "/problems/virtual-user-not-found"


async def test_the_assistant_cannot_be_retired(client: httpx2.AsyncClient) -> None:
    default = (await client.get(PERSONAS)).json()["items"][0]

    answer = await client.delete(f"{PERSONAS}/{default['id']}")

    assert answer.json()["type"] == "/problems/default-virtual-user"


async def test_messages_of_a_retired_virtual_user_keep_its_name(
    client: httpx2.AsyncClient, sessions: SessionFactory, session: Session, org_id: UUID
) -> None:
    shown = await made(client)
    question = await make_message(sessions, org_id)
    actor = member_of(org_id)
    membership = await Memberships(session, actor).lock(question.room_id)
    room = membership.room
    persona = await persona_of(session, actor, shown["id"])
    service = MessagesService(session, actor, 1000)
    answer = await service.add_pending_answer(membership, persona, question, None)

    await PersonasService(session, actor).retire_persona(persona.id)

    with pytest.raises(VirtualUserNotFoundError):
        await scope_of(session, actor, room, persona)
    with pytest.raises(VirtualUserNotFoundError):
        await service.add_pending_answer(membership, persona, question, None)
    seen = await BranchesService(session, actor).get_message(answer.id)
    assert (seen.sender.kind, seen.sender.name) == ("virtual_user", "Dr. Lin")


async def test_an_answer_reads_the_rooms_product_and_what_was_sent(
    sessions: SessionFactory, session: Session, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id)
    room = await make_room(sessions, org_id, product_id=product.id)
    document = await make_read_document(sessions, org_id)
    said = await make_message(
        sessions, org_id, room_id=room.id, document_ids=(document,)
    )
    actor = member_of(org_id)
    persona = await PersonasService(session, actor).default_persona()

    scope = await scope_of(session, actor, room, persona, leaf_id=said.id)

    assert (scope.product_id, scope.attached_ids) == (product.id, (document,))


async def make_read_document(sessions: SessionFactory, org_id: UUID) -> UUID:
    document = await make_document(sessions, org_id)
    async with tenant_transaction(sessions, org_id) as session:
        await documents_gateway.mark_read_for_org(
            session, org_id, document.id, page_count=1, encoding=None
        )
    return document.id


async def test_a_virtual_user_cannot_read_a_room_that_its_owner_cannot(
    sessions: SessionFactory, session: Session, org_id: UUID, ann: Person
) -> None:
    """Even if a row says that it joined."""
    room = await make_room(sessions, org_id)
    persona = await PersonasService(session, ann.actor).default_persona()
    await rooms_gateway.add_persona_to_room(session, org_id, room.id, persona.id)

    with pytest.raises(VirtualUserNotFoundError):
        await scope_of(session, member_of(org_id), room, persona)


async def test_asker_cannot_read_more_through_a_virtual_user(
    sessions: SessionFactory, session: Session, org_id: UUID, ann: Person
) -> None:
    room = await make_room(sessions, org_id)
    persona = await PersonasService(session, member_of(org_id)).default_persona()

    with pytest.raises(ChatRoomNotFoundError):
        await scope_of(session, ann.actor, room, persona)


@pytest.fixture
async def anns_persona(session: Session, group: str, ann: Person) -> VirtualUser:
    """Ann's virtual user, in the group room of Mei's."""
    persona = await PersonasService(session, ann.actor).default_persona()
    await MembersService(session, ann.actor).add_persona(UUID(group), persona.id)
    return persona


async def test_a_colleagues_virtual_user_answers_where_both_are_members(
    sessions: SessionFactory,
    session: Session,
    org_id: UUID,
    group: str,
    anns_persona: VirtualUser,
) -> None:
    mei = member_of(org_id)
    membership = await Memberships(session, mei).lock(UUID(group))
    room = membership.room

    scope = await scope_of(session, mei, room, anns_persona)

    question = await make_message(sessions, org_id, room_id=room.id)
    service = MessagesService(session, mei, 1000)
    answer = await service.add_pending_answer(membership, anns_persona, question, None)
    assert scope.product_id == room.product_id
    assert answer.virtual_user_id == anns_persona.id


async def test_a_virtual_user_falls_silent_when_its_owner_is_taken_out(
    session: Session, org_id: UUID, group: str, ann: Person, anns_persona: VirtualUser
) -> None:
    mei = member_of(org_id)
    room = await RoomsService(session, mei).get_room(UUID(group))

    await MembersService(session, mei).remove_member(room.id, ann.user_id)

    with pytest.raises(VirtualUserNotFoundError):
        await scope_of(session, mei, room, anns_persona)


async def test_a_virtual_user_falls_silent_when_its_owner_works_here_no_more(
    session: Session, org_id: UUID, group: str, ann: Person, anns_persona: VirtualUser
) -> None:
    mei = member_of(org_id)
    room = await RoomsService(session, mei).get_room(UUID(group))
    membership = await accounts_gateway.get_member_for_org(session, org_id, ann.user_id)
    assert membership is not None

    membership.is_active = False
    await session.flush()

    with pytest.raises(VirtualUserNotFoundError):
        await scope_of(session, mei, room, anns_persona)


async def test_no_answer_is_reserved_for_a_stranger_among_virtual_users(
    sessions: SessionFactory, session: Session, org_id: UUID, ann: Person
) -> None:
    question = await make_message(sessions, org_id)
    mei = member_of(org_id)
    membership = await Memberships(session, mei).lock(question.room_id)
    persona = await PersonasService(session, ann.actor).default_persona()

    with pytest.raises(VirtualUserNotFoundError):
        await MessagesService(session, mei, 1000).add_pending_answer(
            membership, persona, question, None
        )


async def test_the_profile_is_made_on_first_use_and_changed(
    client: httpx2.AsyncClient,
) -> None:
    first = (await client.get("/api/v1/chat/profile")).json()

    changed = await client.patch(
        "/api/v1/chat/profile",
        json={"language": "zh-TW", "preferences": {"compact": True, "size": 3}},
    )

    expected = {"language": "zh-TW", "preferences": {"compact": True, "size": 3}}
    assert changed.json() == first | expected
    assert first["display_name"] == "Mei"


async def test_without_a_user_there_is_one_profile(
    sessions: SessionFactory, session: Session, org_id: UUID
) -> None:
    actor = Actor.system(org_id)
    room = await make_room(sessions, org_id, actor=actor)
    question = await make_message(sessions, org_id, actor=actor, room_id=room.id)
    answer = await make_answer(sessions, org_id, question, actor=actor)

    persona = await PersonasService(session, actor).default_persona()

    assert room.created_by == question.profile_id == persona.owner_id
    assert answer.virtual_user_id == persona.id


@pytest.mark.parametrize("unseen", ["\u200b\u200b", "\u2060", "\u00ad \u200d"])
async def test_names_and_titles_can_be_seen(
    client: httpx2.AsyncClient, unseen: str
) -> None:
    refused = [
        await client.post("/api/v1/chat/virtual-users", json={"name": unseen}),
        await client.post("/api/v1/chat/rooms", json={"title": unseen}),
    ]

    assert [each.status_code for each in refused] == [422, 422]
    pointers = [each.json()["errors"][0]["pointer"] for each in refused]
    assert pointers == ["#/name", "#/title"]
