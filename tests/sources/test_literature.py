"""Questions to sources: when one is asked, and what is kept."""

from typing import Literal
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from starlette.responses import Response

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.logging import configure_logging
from dossier.core.settings import SourcesSettings
from dossier.sources.literature import SourceResult, opened_literature
from dossier.sources.models import SourceAnswer
from dossier.testing.source_server import SourceTwin


async def ask(
    sessions: SessionFactory,
    org_id: UUID,
    twin: SourceTwin,
    mode: Literal["offline", "cache", "live"] = "live",
    *,
    source: str = "pubchem",
    fresh_days: int = 30,
) -> SourceResult:
    settings = SourcesSettings(
        mode=mode, base_urls=twin.base_urls, fresh_days=fresh_days
    )
    async with opened_literature(sessions, settings) as literature:
        return await literature.search(org_id, source, "Niacinamide", 5)


async def test_offline_asks_nobody_and_names_the_setting(
    sessions: SessionFactory, org_id: UUID, twin: SourceTwin
) -> None:
    found = await ask(sessions, org_id, twin, "offline")

    assert found.status == "not_asked"
    assert "DOSSIER_SOURCES__MODE" in (found.reason or "")
    assert not twin.calls


async def test_answer_is_stored_and_a_fresh_one_is_not_asked_for_again(
    sessions: SessionFactory, org_id: UUID, twin: SourceTwin
) -> None:
    first = await ask(sessions, org_id, twin)
    again = await ask(sessions, org_id, twin)
    stored = await ask(sessions, org_id, twin, "cache")

    assert first.status == "found"
    assert first.hits == again.hits == stored.hits
    assert first.answer_id == stored.answer_id
    assert (first.sha256, first.retrieved_at) == (stored.sha256, stored.retrieved_at)
    assert twin.calls["pubchem"] == 1


async def test_nothing_found_is_stored_too(
    sessions: SessionFactory, org_id: UUID, twin: SourceTwin
) -> None:
    twin.is_empty = True
    await ask(sessions, org_id, twin)
    again = await ask(sessions, org_id, twin)

    assert again.status == "nothing_found"
    assert again.answer_id is not None
    assert twin.calls["pubchem"] == 1


async def test_stale_answer_is_asked_for_again(
    sessions: SessionFactory, org_id: UUID, twin: SourceTwin
) -> None:
    await ask(sessions, org_id, twin)
    await ask(sessions, org_id, twin, fresh_days=0)

    assert twin.calls["pubchem"] == 2


async def test_failure_is_a_result_with_a_reason_and_is_not_stored(
    sessions: SessionFactory, org_id: UUID, twin: SourceTwin
) -> None:
    twin.instead["pubchem"] = Response(status_code=500)
    failed = await ask(sessions, org_id, twin)
    del twin.instead["pubchem"]
    found = await ask(sessions, org_id, twin)

    assert (failed.status, failed.reason) == ("failed", "pubchem answered 500.")
    assert found.status == "found"


async def test_answer_of_another_organisation_is_not_used(
    sessions: SessionFactory, org_id: UUID, other_org_id: UUID, twin: SourceTwin
) -> None:
    await ask(sessions, org_id, twin)
    other = await ask(sessions, other_org_id, twin, "cache")

    assert other.status == "not_asked"


@pytest.mark.usefixtures("kept_logging")
async def test_keys_and_questions_stand_in_no_log_and_keys_in_no_stored_answer(
    sessions: SessionFactory,
    org_id: UUID,
    twin: SourceTwin,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("DEBUG")
    keys = SourcesSettings(
        mode="live",
        base_urls=twin.base_urls,
        tavily_api_key=SecretStr("tvly-secret"),
        pubmed_api_key=SecretStr("pubmed-secret"),
    )
    async with opened_literature(sessions, keys) as literature:
        for source in ("tavily", "pubmed"):
            await literature.search(org_id, source, "Niacinamide", 5)
    async with tenant_transaction(sessions, org_id) as session:
        stored = list(await session.scalars(select(SourceAnswer)))

    assert twin.asked[0].headers["authorization"] == "Bearer tvly-secret"
    assert len(stored) == 2
    assert not any("secret" in f"{each.url} {each.body!r}" for each in stored)
    logged = capsys.readouterr().err
    assert "httpcore2" in logged  # the level is low enough to show requests
    assert "secret" not in logged
    assert "Niacinamide" not in logged
