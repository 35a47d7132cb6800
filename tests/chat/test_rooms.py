"""Rooms: members see them, everybody else finds nothing."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from tests.chat.conftest import Person
from tests.core.openapi_samples import Document, body_of, sample
from tests.factories.chat import make_message, make_share, make_virtual_user
from tests.factories.products import make_product

from dossier.chat.service.rooms import RoomsService
from dossier.core.database import Session, SessionFactory
from dossier.core.openapi import is_public, operations
from dossier.core.tenancy import Actor

ROOMS = "/api/v1/chat/rooms"
CODES = httpx2.codes


async def created(client: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(ROOMS, json={"title": "Rose cream"} | body)
    assert answer.status_code == CODES.CREATED, answer.text
    made: dict[str, Any] = answer.json()
    return made


def slug_of(answer: httpx2.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def test_a_room_has_its_maker_as_owner_and_the_assistant(
    client: httpx2.AsyncClient,
) -> None:
    room = await created(client)

    members = (await client.get(f"{ROOMS}/{room['id']}/members")).json()["items"]
    personas = (await client.get(f"{ROOMS}/{room['id']}/virtual-users")).json()["items"]

    assert [(each["display_name"], each["role"]) for each in members] == [
        ("Mei", "owner")
    ]
    assert [(each["name"], each["is_default"]) for each in personas] == [
        ("Dossier", True)
    ]


async def test_rooms_are_listed_by_their_last_message(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    older, newer = await created(client), await created(client)
    await make_message(sessions, org_id, room_id=UUID(older["id"]))

    listed = (await client.get(ROOMS)).json()

    assert [each["id"] for each in listed["items"]] == [older["id"], newer["id"]]
    assert listed["total"] == 2


async def test_only_rooms_of_ones_own_are_listed(
    client: httpx2.AsyncClient, ann: Person
) -> None:
    await created(client)

    assert (await ann.client.get(ROOMS)).json()["items"] == []


async def test_an_archived_room_is_listed_apart_and_takes_no_message(
    client: httpx2.AsyncClient,
) -> None:
    room = await created(client)

    await client.patch(f"{ROOMS}/{room['id']}", json={"is_archived": True})
    refused = await client.post(f"{ROOMS}/{room['id']}/messages", json={"text": "?"})

    assert slug_of(refused) == "room-archived"
    assert (await client.get(ROOMS)).json()["items"] == []
    archived = (await client.get(ROOMS, params={"archived": True})).json()["items"]
    assert [each["id"] for each in archived] == [room["id"]]


async def test_what_is_sent_is_changed_and_nothing_else(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id)
    room = await created(client, product_id=str(product.id))

    changed = await client.patch(f"{ROOMS}/{room['id']}", json={"title": "Toner"})

    assert changed.json() == room | {"title": "Toner"}


async def test_a_room_of_another_organisations_product_is_not_made(
    client: httpx2.AsyncClient, sessions: SessionFactory, other_org_id: UUID
) -> None:
    product = await make_product(sessions, other_org_id)

    answer = await client.post(
        ROOMS, json={"title": "Theirs", "product_id": str(product.id)}
    )

    assert slug_of(answer) == "product-not-found"


async def test_deleted_room_is_gone_with_all_its_messages(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    share = await make_share(sessions, org_id)

    deleted = await client.delete(f"{ROOMS}/{share.room_id}")

    assert deleted.status_code == CODES.NO_CONTENT
    message = await client.get(f"/api/v1/chat/messages/{share.message_id}")
    assert slug_of(message) == "chat-message-not-found"


async def test_a_private_room_takes_no_second_person(
    client: httpx2.AsyncClient, ann: Person
) -> None:
    room = await created(client)

    answer = await client.post(
        f"{ROOMS}/{room['id']}/members", json={"user_id": str(ann.user_id)}
    )

    assert slug_of(answer) == "private-room"


async def test_a_group_room_is_seen_by_both(group: str, ann: Person) -> None:
    seen = await ann.client.get(f"{ROOMS}/{group}")
    said = await ann.client.post(f"{ROOMS}/{group}/messages", json={"text": "Here"})

    assert seen.status_code == CODES.OK
    assert said.json()["sender"]["name"] == "ann"


async def test_a_member_is_added_once(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    again = await client.post(
        f"{ROOMS}/{group}/members", json={"user_id": str(ann.user_id)}
    )

    assert again.status_code == CODES.OK
    assert len((await client.get(f"{ROOMS}/{group}/members")).json()["items"]) == 2


async def test_user_of_another_organisation_cannot_be_added(
    client: httpx2.AsyncClient, group: str, other_org_id: UUID
) -> None:
    del other_org_id
    answer = await client.post(
        f"{ROOMS}/{group}/members",
        json={"user_id": "018f0000-0000-7000-8000-0000000000b1"},
    )

    assert slug_of(answer) == "chat-member-not-found"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"title": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/members", {"user_id": "018f0000-0000-7000-8000-0000000000ff"}),
        ("DELETE", "/members/018f0000-0000-7000-8000-0000000000a1", None),
        ("POST", "/shares", {}),
        ("GET", "/shares", None),
    ],
)
async def test_what_is_the_owners_is_refused_to_members(
    group: str, ann: Person, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = await ann.client.request(method, f"{ROOMS}/{group}{path}", json=body)

    assert (answer.status_code, slug_of(answer)) == (403, "room-owner-required")


async def test_a_member_may_go_and_takes_the_own_virtual_user_along(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    made = await ann.client.post("/api/v1/chat/virtual-users", json={"name": "Lin"})
    joined = await ann.client.put(f"{ROOMS}/{group}/virtual-users/{made.json()['id']}")
    assert joined.status_code == CODES.NO_CONTENT

    left = await ann.client.delete(f"{ROOMS}/{group}/members/{ann.user_id}")

    assert left.status_code == CODES.NO_CONTENT
    assert (await ann.client.get(f"{ROOMS}/{group}")).status_code == CODES.NOT_FOUND
    there = (await client.get(f"{ROOMS}/{group}/virtual-users")).json()["items"]
    assert [each["name"] for each in there] == ["Dossier"]


async def brought(person: Person, room_id: str) -> str:
    """Bring a virtual user of a member's into a room, twice; return its path."""
    made = await person.client.post("/api/v1/chat/virtual-users", json={"name": "Lin"})
    path = f"{ROOMS}/{room_id}/virtual-users/{made.json()['id']}"
    for _ in range(2):
        assert (await person.client.put(path)).status_code == CODES.NO_CONTENT
    return path


async def test_its_owner_and_the_rooms_owner_take_a_virtual_user_out(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    path = await brought(ann, group)
    own = await ann.client.delete(path)
    await ann.client.put(path)
    by_the_rooms_owner = await client.delete(path)
    gone = await client.delete(path)

    assert own.status_code == by_the_rooms_owner.status_code == CODES.NO_CONTENT
    assert slug_of(gone) == "virtual-user-not-found"


async def test_a_member_does_not_take_out_what_another_brought(
    client: httpx2.AsyncClient, group: str, ann: Person
) -> None:
    there = (await client.get(f"{ROOMS}/{group}/virtual-users")).json()["items"]

    answer = await ann.client.delete(f"{ROOMS}/{group}/virtual-users/{there[0]['id']}")

    assert slug_of(answer) == "room-owner-required"


async def test_person_who_is_no_member_cannot_be_removed(
    client: httpx2.AsyncClient, group: str, bob: Person
) -> None:
    answer = await client.delete(f"{ROOMS}/{group}/members/{bob.user_id}")

    assert slug_of(answer) == "chat-member-not-found"


async def test_a_room_is_opened_for_a_first_message(
    session: Session, actor: Actor
) -> None:
    rooms = RoomsService(session, actor)

    membership = await rooms.open_room(None, "Is it\nsafe?")

    assert (membership.room.title, membership.room.kind) == ("Is it safe?", "private")
    assert (await rooms.open_room(membership.room.id, "And?")).room is membership.room


async def test_the_owner_cannot_leave(client: httpx2.AsyncClient, group: str) -> None:
    own = (await client.get("/api/v1/chat/profile")).json()["user_id"]

    answer = await client.delete(f"{ROOMS}/{group}/members/{own}")

    assert slug_of(answer) == "last-room-owner"


async def test_an_outsider_finds_nothing_of_a_group_room(
    sessions: SessionFactory, org_id: UUID, bob: Person, document: Document
) -> None:
    """Every route under a room, a message or a link, whoever adds the next one."""
    message = await make_message(sessions, org_id)
    share = await make_share(sessions, org_id)
    ids = {
        "room_id": message.room_id,
        "message_id": message.id,
        "share_id": share.id,
        "user_id": bob.user_id,
        "virtual_user_id": (await make_virtual_user(sessions, org_id)).id,
    }

    found = {}
    for method, path, operation in operations(document):
        if not is_of_a_room(path) or is_public(operation):
            continue
        body = body_of(document, operation)
        answer = await bob.client.request(method, path.format(**ids), **body)
        found[f"{method} {path}"] = answer.status_code

    assert len(found) > 20
    assert {n: code for n, code in found.items() if code != CODES.NOT_FOUND} == {}


def is_of_a_room(path: str) -> bool:
    return any(
        path.startswith(f"/api/v1/chat/{part}/{{")
        for part in ("rooms", "messages", "shares", "virtual-users")
    )


async def test_activity_log_records_actions_without_texts(
    client: httpx2.AsyncClient,
) -> None:
    room = await created(client, title="Secret plan")
    text = "The secret is squalane"
    said = await client.post(f"{ROOMS}/{room['id']}/messages", json={"text": text})
    await client.patch(
        f"/api/v1/chat/messages/{said.json()['id']}", json={"text": "secret two"}
    )

    trail = await client.get("/api/v1/activity")

    told = [(e["action"], e["entity_type"]) for e in trail.json()["items"]]
    assert told[:3] == [
        ("update", "chat_message"),
        ("create", "chat_message"),
        ("create", "chat_room"),
    ]
    assert "secret" not in trail.text.casefold()


def test_bodies_are_made_from_examples(document: Document) -> None:
    """Otherwise the outsider above would be refused for a malformed body."""
    shape = document["components"]["schemas"]["MessageCreate"]

    assert sample(document, shape)["text"] == "Which preservative is it?"


@pytest.mark.parametrize("value", ["9" * 230, 2**60, -(2**60), 1.5])
async def test_preference_is_stored_as_it_was_sent_or_refused(
    client: httpx2.AsyncClient, value: object
) -> None:
    answer = await client.patch(
        "/api/v1/chat/profile", json={"preferences": {"size": value}}
    )

    assert answer.status_code == httpx2.codes.UNPROCESSABLE_CONTENT


async def test_preference_of_digits_stays_a_text(client: httpx2.AsyncClient) -> None:
    answer = await client.patch(
        "/api/v1/chat/profile", json={"preferences": {"size": "0123"}}
    )

    assert answer.json()["preferences"] == {"size": "0123"}


async def test_question_opens_a_room_of_its_product(
    client: httpx2.AsyncClient, sessions: SessionFactory, org_id: UUID
) -> None:
    product = await make_product(sessions, org_id)
    body = {"message": "Is it safe?", "product_id": str(product.id)}

    asked = await client.post(
        "/api/v1/chat", json=body, headers={"prefer": "respond-async"}
    )

    assert asked.status_code == httpx2.codes.ACCEPTED, asked.text
    room = (await client.get(f"{ROOMS}/{asked.json()['subject_id']}")).json()
    assert room["product_id"] == str(product.id)
    both = await client.post("/api/v1/chat", json=body | {"chat_room_id": room["id"]})
    assert both.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
