"""What sources answered is kept with its proof; who may be asked says the mode."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.sources import rules
from dossier.sources.constants import MAX_BODY_BYTES, Mode
from dossier.sources.exceptions import SourceAnswerTooLargeError
from dossier.sources.models import SourceAnswer
from dossier.sources.rules import Step
from dossier.sources.service import SourceStore
from dossier.sources.types import Fetched, NotAsked, SourceRequest

URL = "https://pubchem.example/compound"
CAS = SourceRequest(
    "pubchem", rules.request_fingerprint("GET", URL, {"cas": "50-00-0"}), URL
)
FOUND = Fetched(200, b'{"cid": 712}', "1", media_type="application/json")
NOTHING = Fetched(404, b"", "1", is_found=False)


class Source:
    """Gives answers in turn, and counts how often it was asked."""

    def __init__(self, *answers: Fetched) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self) -> Fetched:
        self.asked += 1
        return self._answers.pop(0)


def store_of(sessions: SessionFactory, org_id: UUID, mode: Mode) -> SourceStore:
    return SourceStore(sessions, org_id, mode)


async def stored(sessions: SessionFactory, org_id: UUID) -> list[SourceAnswer]:
    async with tenant_transaction(sessions, org_id) as session:
        query = select(SourceAnswer).where(SourceAnswer.org_id == org_id)
        return list(await session.scalars(query.order_by(SourceAnswer.id)))


async def test_offline_mode_fetches_nothing_and_names_the_setting(
    sessions: SessionFactory, org_id: UUID
) -> None:
    source = Source(FOUND)
    await store_of(sessions, org_id, "live").remember(CAS, FOUND)

    answer = await store_of(sessions, org_id, "offline").ask(CAS, source)

    assert answer == NotAsked("DOSSIER_SOURCES__MODE")
    assert source.asked == 0


async def test_live_mode_fetches_once_and_stores_the_answer(
    sessions: SessionFactory, org_id: UUID
) -> None:
    source, store = Source(FOUND), store_of(sessions, org_id, "live")

    answers = [await store.ask(CAS, source) for _ in range(2)]

    assert source.asked == 1
    for answer in answers:
        assert isinstance(answer, SourceAnswer)
        assert (answer.body, answer.status) == (b'{"cid": 712}', 200)
        assert answer.sha256 == rules.body_digest(200, FOUND.body)


async def test_nothing_found_is_an_answer_too(
    sessions: SessionFactory, org_id: UUID
) -> None:
    source, store = Source(NOTHING), store_of(sessions, org_id, "live")

    answers = [await store.ask(CAS, source) for _ in range(2)]

    assert source.asked == 1
    assert [getattr(each, "is_found", None) for each in answers] == [False, False]


async def test_cache_mode_returns_only_stored_answers(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID
) -> None:
    source, store = Source(FOUND), store_of(sessions, org_id, "cache")
    await store_of(sessions, other_org_id, "live").remember(CAS, FOUND)

    before = await store.ask(CAS, source)
    await store.remember(CAS, FOUND)
    after = await store.ask(CAS, source)

    assert before == NotAsked()
    assert isinstance(after, SourceAnswer)
    assert source.asked == 0


async def test_an_answer_that_is_too_old_is_fetched_again(
    sessions: SessionFactory, org_id: UUID
) -> None:
    changed = Fetched(200, b'{"cid": 713}', "1")
    source, store = Source(FOUND, FOUND, changed), store_of(sessions, org_id, "live")
    newest = await store.ask(CAS, source)
    for _ in range(2):
        async with tenant_transaction(sessions, org_id) as session:
            await session.execute(
                update(SourceAnswer)
                .where(SourceAnswer.org_id == org_id)
                .values(fetched_at=now() - timedelta(days=2))
            )
        newest = await store.ask(CAS, source, timedelta(days=1))

    rows = await stored(sessions, org_id)
    assert source.asked == 3
    assert isinstance(newest, SourceAnswer)
    assert newest.body == changed.body
    assert [row.body for row in rows] == [FOUND.body, changed.body]  # both stay


async def test_too_large_answer_is_not_stored(
    sessions: SessionFactory, org_id: UUID
) -> None:
    endless = Fetched(200, bytes(MAX_BODY_BYTES + 1), "1")

    with pytest.raises(SourceAnswerTooLargeError, match="pubchem"):
        await store_of(sessions, org_id, "live").ask(CAS, Source(endless))
    assert await stored(sessions, org_id) == []


@pytest.mark.parametrize(
    ("mode", "is_stored", "is_fresh", "step"),
    [
        ("offline", True, True, Step.REFUSE),
        ("cache", True, False, Step.RECALL),
        ("cache", False, False, Step.REFUSE),
        ("live", True, True, Step.RECALL),
        ("live", True, False, Step.FETCH),
        ("live", False, False, Step.FETCH),
    ],
)
def test_each_mode_allows_its_steps(
    mode: Mode,
    is_stored: bool,  # noqa: FBT001 - a table
    is_fresh: bool,  # noqa: FBT001 - a table
    step: Step,
) -> None:
    assert rules.next_step(mode, is_stored=is_stored, is_fresh=is_fresh) is step


def test_fingerprint_depends_on_the_request() -> None:
    one = rules.request_fingerprint("get", URL, {"a": "1", "b": "2"})

    assert one == rules.request_fingerprint("GET", URL, {"b": "2", "a": "1"})
    assert one != rules.request_fingerprint("GET", URL, {"a": "2", "b": "1"})
    assert one != rules.request_fingerprint("GET", URL, {"a": "1", "b": "2"}, b"x")


def test_an_empty_404_is_not_an_empty_200() -> None:
    assert rules.body_digest(404, b"") != rules.body_digest(200, b"")
