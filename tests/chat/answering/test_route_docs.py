"""`docs/chat-routes.md`: a request and its answer for every route, as they are sent.

The page is the record of this scenario. `DOSSIER_WRITE_DOCS=1` writes it anew.
"""

import json
import os
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from tests.chat.answering.conftest import Chat
from tests.factories.accounts import make_user

from dossier.accounts.constants import Role

PAGE = Path(__file__).parents[3] / "docs" / "chat-routes.md"
PREFIX = "/api/v1"
HEAD = """# Every chat route: a request and its answer

Recorded by a test that fails where a route is missing here or answers
otherwise. Ids and instants are replaced, the lines of a stream cut (`…`); the
fields are explained in [chat.md](chat.md) and in `/docs`.
"""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_MINUTE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
_TOKEN = re.compile(r"(?<=shared/)[\w-]{20,}|(?<=\"token\": \")[\w-]{20,}")


class Recorder:
    """Sends requests and writes each down with its answer."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._known: dict[str, str] = {}
        self.routes: set[tuple[str, str]] = set()
        self._sections: list[str] = []

    async def __call__(
        self,
        what: str,
        method: str,
        template: str,
        body: dict[str, Any] | None = None,
        *,
        headers: dict[str, str] | None = None,
        query: str = "",
        **ids: str,
    ) -> Any:
        """Send a request and return the JSON of its answer, or its text."""
        path = PREFIX + template.format(**ids) + query
        answer = await self._client.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        self.routes.add((method, PREFIX + template))
        media_type = answer.headers.get("content-type", "")
        is_json = bool(answer.content) and media_type.startswith("application/json")
        shown = _pretty(answer.json()) if is_json else answer.text.strip()
        request = "\n".join(
            [f"{method} {path}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        )
        if body is not None:
            request += f"\n\n{_pretty(body)}"
        reply = f"{answer.status_code} {answer.reason_phrase}"
        if "location" in answer.headers:
            reply += f"\nLocation: {answer.headers['location']}"
        reply += f"\n\n{shown}" if shown else ""
        title = f"## {method} `{PREFIX}{template}`\n\n{what}"
        both = f"```http\n{request}\n```\n\n```http\n{reply}\n```"
        self._sections.append(f"{title}\n\n{_cut(self._replaced(both))}\n")
        return answer.json() if is_json else answer.text

    def page(self) -> str:
        """Return the page."""
        return "\n".join([HEAD, *self._sections])

    def _replaced(self, text: str) -> str:
        def number(found: re.Match[str]) -> str:
            key = found[0].replace("-", "")
            fresh = f"018f0000-0000-7000-8000-{len(self._known) + 1:012d}"
            name = self._known.setdefault(key, fresh)
            return name if "-" in found[0] else name.replace("-", "")

        text = _UUID.sub(number, text)
        text = _HEX_ID.sub(number, text)
        text = _INSTANT.sub("2026-01-15T09:00:00Z", text)
        text = _MINUTE.sub("2026-01-15 09:00 UTC", text)
        return _TOKEN.sub("Zt3…", text)


def _cut(text: str) -> str:
    """Return a text with lines of a length that can be read."""
    return "\n".join(
        line if len(line) <= 120 else f"{line[:119]}…" for line in text.splitlines()
    )


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


async def test_page_shows_a_request_and_its_answer_for_every_route(chat: Chat) -> None:
    colleague = await make_user(
        chat.sessions, chat.org_id, email=f"{uuid4()}@example.com", role=Role.EDITOR
    )
    record = Recorder(chat.client)
    await _people(record)
    room = await _rooms(record, chat, str(colleague.id))
    await _answers(record, room)
    await _messages(record, room)
    await _shares(record, chat)

    written = record.page()
    if os.environ.get("DOSSIER_WRITE_DOCS"):
        PAGE.write_text(written, encoding="utf-8")

    declared = {
        (method.upper(), path)
        for path, methods in chat.app.openapi()["paths"].items()
        for method in methods
        if path.startswith(f"{PREFIX}/chat")
    }
    assert {(m, _unnamed(p)) for m, p in record.routes} == {
        (m, _unnamed(p)) for m, p in declared
    }
    assert PAGE.read_text(encoding="utf-8") == written


def _unnamed(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


async def _people(record: Recorder) -> None:
    await record("The caller's profile.", "GET", "/chat/profile")
    await record(
        "Only the fields that are sent change.",
        "PATCH",
        "/chat/profile",
        {"display_name": "Mei", "language": "zh-TW", "preferences": {"dense": True}},
    )


async def _rooms(record: Recorder, chat: Chat, colleague: str) -> str:
    persona = await record(
        "A persona of the caller.",
        "POST",
        "/chat/virtual-users",
        {"name": "Dr. Lin", "tone": "brief", "knowledge_areas": ["preservatives"]},
    )
    await record("The caller's personas.", "GET", "/chat/virtual-users")
    by_id = "/chat/virtual-users/{virtual_user_id}"
    await record("One persona.", "GET", by_id, virtual_user_id=persona["id"])
    await record(
        "Only the fields that are sent change.",
        "PATCH",
        by_id,
        {"personality": "Names the article of each rule."},
        virtual_user_id=persona["id"],
    )
    room = await record(
        "A room for several people.",
        "POST",
        "/chat/rooms",
        {"title": "Rose cream", "kind": "group"},
    )
    await record("The caller's rooms.", "GET", "/chat/rooms", query="?limit=1")
    await record("One room.", "GET", "/chat/rooms/{room_id}", room_id=room["id"])
    await record(
        "Only the fields that are sent change.",
        "PATCH",
        "/chat/rooms/{room_id}",
        {"title": "Rose cream, stability"},
        room_id=room["id"],
    )
    of_room = {"room_id": room["id"]}
    await record(
        "Adds a colleague.",
        "POST",
        "/chat/rooms/{room_id}/members",
        {"user_id": colleague},
        **of_room,
    )
    await record("The people.", "GET", "/chat/rooms/{room_id}/members", **of_room)
    await record(
        "Removes a colleague; oneself: leaves the room.",
        "DELETE",
        "/chat/rooms/{room_id}/members/{user_id}",
        user_id=colleague,
        **of_room,
    )
    own = "/chat/rooms/{room_id}/virtual-users/{virtual_user_id}"
    ids = {**of_room, "virtual_user_id": persona["id"]}
    await record("Adds a persona.", "PUT", own, **ids)
    listed = "/chat/rooms/{room_id}/virtual-users"
    await record("The personas.", "GET", listed, **of_room)
    await record("Removes a persona.", "DELETE", own, **ids)
    await record(
        "Retires a persona: its messages stay.",
        "DELETE",
        by_id,
        virtual_user_id=persona["id"],
    )
    gone = await chat.client.post(f"{PREFIX}/chat/rooms", json={"title": "Mistake"})
    await record(
        "Deletes a room with its messages.",
        "DELETE",
        "/chat/rooms/{room_id}",
        room_id=gone.json()["id"],
    )
    room_id: str = room["id"]
    return room_id


async def _answers(record: Recorder, room: str) -> None:
    answered = await record(
        "A question; the response waits for the answer. No model is set here, so the "
        "documents answer in their own words.",
        "POST",
        "/chat",
        {
            "message": "What is the shelf life of the rose cream?",
            "chat_room_id": room,
        },
    )
    run = {"chat_run_id": answered["run_id"]}
    await record("The run of an answer.", "GET", "/chat/runs/{chat_run_id}", **run)
    await record(
        "The stored events after a number, as a stream.",
        "GET",
        "/chat/runs/{chat_run_id}/events",
        query="?starting_after=4",
        **run,
    )
    await record(
        "Cancels a run; one that has ended stays as it is.",
        "POST",
        "/chat/runs/{chat_run_id}/cancel",
        **run,
    )
    await record(
        "Another answer to the same question.",
        "POST",
        "/chat/messages/{message_id}/regenerate",
        {"engine": "extractive"},
        message_id=answered["ai_message_id"],
    )


async def _messages(record: Recorder, room: str) -> None:
    posted = await record(
        "A message that asks nobody.",
        "POST",
        "/chat/rooms/{room_id}/messages",
        {"text": "The label says 24 months."},
        room_id=room,
    )
    by_id = "/chat/messages/{message_id}"
    edited = await record(
        "A new text; another branch begins here, the earlier one is kept.",
        "PATCH",
        by_id,
        {"text": "The label says 30 months."},
        message_id=posted["id"],
    )
    await record("One message.", "GET", by_id, message_id=edited["id"])
    await record(
        "A branch, its end first.",
        "GET",
        "/chat/rooms/{room_id}/messages",
        query="?limit=1",
        room_id=room,
    )
    of_message = {"message_id": edited["id"]}
    await record(
        "The versions of a message.",
        "GET",
        "/chat/messages/{message_id}/branches",
        **of_message,
    )
    await record(
        "A room of its own for a branch.",
        "POST",
        "/chat/messages/{message_id}/branches",
        {"title": "Label"},
        **of_message,
    )
    feedback = "/chat/messages/{message_id}/feedback"
    await record("Rates a message.", "PUT", feedback, {"rating": "up"}, **of_message)
    await record("Withdraws the rating.", "DELETE", feedback, **of_message)
    await record(
        "The text of a deleted message is gone; its place stays.",
        "DELETE",
        by_id,
        **of_message,
    )
    await record(
        "The room written down; `format=json` gives all its branches.",
        "GET",
        "/chat/rooms/{room_id}/export",
        query="?format=markdown",
        room_id=room,
    )


async def _shares(record: Recorder, chat: Chat) -> None:
    # A link ends with a cited document, and those of these tests are not stored.
    made_room = await chat.client.post(f"{PREFIX}/chat/rooms", json={"title": "Label"})
    room = made_room.json()["id"]
    await chat.client.post(
        f"{PREFIX}/chat/rooms/{room}/messages", json={"text": "The label is final."}
    )
    made = await record(
        "A link to the conversation so far; its token is shown once.",
        "POST",
        "/chat/rooms/{room_id}/shares",
        {"expires_in_days": 7},
        room_id=room,
    )
    await record(
        "The links of a room.", "GET", "/chat/rooms/{room_id}/shares", room_id=room
    )
    await record(
        "All links of the organisation, for owners and admins.", "GET", "/chat/shares"
    )
    await record(
        "What the holder of a link sees, without a log-in.",
        "GET",
        "/chat/shared/{token}",
        token=made["token"],
    )
    await record(
        "Revokes a link.", "DELETE", "/chat/shares/{share_id}", share_id=made["id"]
    )
