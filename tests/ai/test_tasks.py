"""Probes, and settlement of lost calls; each safe to run twice."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, update
from tests.factories.ai import make_budget, make_ledger, make_record, make_tag

from dossier.ai.models import AiBudgetWindow, AiCall
from dossier.ai.service.capabilities import (
    AbilitiesService,
    StoredProbe,
    planned_servers,
)
from dossier.ai.service.ledger import Ledger
from dossier.ai.service.prices import ModelPrices
from dossier.ai.tasks import probe_servers, settle_lost
from dossier.ai.types import Price
from dossier.core.clock import now
from dossier.core.database import DatabaseEngine, SessionFactory, tenant_transaction
from dossier.core.settings import AiSettings, Settings
from dossier.core.startup import Database
from dossier.integrations.llm.types import ServerAbilities
from dossier.integrations.prices import ListedPrice, listed_price
from dossier.worker import probe_again, probe_models

AI = AiSettings.model_validate(
    {"base_url": "http://models.example/v1", "model": "large", "api_key": "sk-secret"}
)
ABILITIES = ServerAbilities(
    reachable=True, models=("large", "small"), tools=True, embedding_dimensions=384
)
LISTED = ListedPrice(Decimal("1.25"), Decimal(10), None, "genai-prices 9")


async def answering() -> ServerAbilities:
    return ABILITIES


def priced(server: str, model: str) -> ListedPrice | None:
    return LISTED if (server, model) == ("models.example", "large") else None


async def test_what_a_probe_finds_is_stored_and_read(sessions: SessionFactory) -> None:
    servers = planned_servers(AI)
    abilities = AbilitiesService(StoredProbe(sessions, servers, refresh_s=0))

    before = await abilities.current()
    assert await probe_servers(sessions, servers, answering, priced)
    assert await probe_servers(sessions, servers, answering, priced)

    assert before is None
    assert await abilities.current() == ABILITIES
    assert await abilities.probed_at() is not None


async def test_no_server_is_nothing_to_probe(sessions: SessionFactory) -> None:
    assert not await probe_servers(sessions, (), answering, priced)


async def test_the_findings_of_other_servers_do_not_count(
    sessions: SessionFactory,
) -> None:
    await probe_servers(sessions, planned_servers(AI), answering, priced)
    renamed = AI.model_copy(update={"model": "larger"})

    probe = StoredProbe(sessions, planned_servers(renamed))

    assert await AbilitiesService(probe).current() is None


def test_a_key_is_no_part_of_what_is_stored() -> None:
    assert "sk-secret" not in repr(planned_servers(AI))


async def test_prices_come_from_settings_then_from_the_list(
    sessions: SessionFactory,
) -> None:
    servers = planned_servers(AI)
    await probe_servers(sessions, servers, answering, priced)
    probe = StoredProbe(sessions, servers)
    stated = AI.model_copy(
        update={"price_input_usd_per_mtok": Decimal(3), "embed_model": "e5"}
    )

    listed, own = ModelPrices(AI, probe), ModelPrices(stated, probe)

    assert await listed.price_of("large") == Price(
        LISTED.input_usd, LISTED.output_usd, None, LISTED.source
    )
    assert await listed.price_of("small") is None
    from_settings = await own.price_of("large-2026-01")
    assert from_settings == Price(Decimal(3), None, None, "settings")
    assert await own.price_of("e5") is None


async def test_a_free_server_of_ones_own_does_not_make_its_fallback_free(
    sessions: SessionFactory,
) -> None:
    free = AI.model_copy(
        update={
            "anthropic_api_key": SecretStr("sk-other"),
            "price_input_usd_per_mtok": Decimal(0),
            "price_output_usd_per_mtok": Decimal(0),
        }
    )
    servers = planned_servers(free)
    fallback = servers[1].models["strong"]
    await probe_servers(sessions, servers, answering, lambda _server, _model: LISTED)
    prices = ModelPrices(free, StoredProbe(sessions, servers))

    own, other = await prices.price_of("large"), await prices.price_of(fallback)

    assert own is not None
    assert own.source == "settings"
    assert other is not None
    assert (other.input_usd, other.source) == (LISTED.input_usd, LISTED.source)


async def test_a_call_costs_what_the_model_costs_that_was_asked_for(
    sessions: SessionFactory, org_id: UUID
) -> None:
    """Servers answer under longer names, which no list and no setting knows."""
    stated = AI.model_copy(
        update={
            "cheap_model": "small",
            "price_input_usd_per_mtok": Decimal(9),
            "price_output_usd_per_mtok": Decimal(9),
        }
    )
    servers = planned_servers(stated)
    await probe_servers(sessions, servers, answering, lambda _server, _model: LISTED)
    ledger = Ledger(
        sessions, ModelPrices(stated, StoredProbe(sessions, servers)).price_of
    )

    reservation = await ledger.reserve(make_tag(org_id), "small", 300)
    await ledger.settle(reservation, make_record(model="small-2026-01"))

    async with tenant_transaction(sessions, org_id) as session:
        call = await session.get_one(AiCall, reservation)
    assert call.price_source == LISTED.source


async def test_a_server_that_was_away_is_asked_again_soon(
    sessions: SessionFactory, settings: Settings, engine: DatabaseEngine
) -> None:
    gone = AiSettings.model_validate({"base_url": "http://127.0.0.1:9/v1"})
    database = Database(str(settings.database.url), engine, sessions)
    named = settings.model_copy(update={"ai": gone})
    probe = StoredProbe(sessions, planned_servers(gone))

    await probe_again(named, database)  # never asked: that is the start's to do
    never = await probe.latest()
    await probe_models(named, database)
    first = await StoredProbe(sessions, probe.servers).latest()
    await probe_again(named, database)
    again = await StoredProbe(sessions, probe.servers).latest()

    assert never is None
    assert first is not None
    assert again is not None
    assert again.probed_at > first.probed_at


def test_the_list_knows_the_vendors_prices_alone() -> None:
    known = listed_price("api.openai.com", "gpt-4o-mini")

    assert known is not None
    assert known.input_usd is not None
    assert known.output_usd is not None
    assert known.output_usd > known.input_usd
    assert known.source.startswith("genai-prices ")
    assert listed_price("models.example", "gpt-4o-mini") is None
    assert listed_price("127.0.0.1:8080", "gpt-4o-mini") is None
    assert listed_price("api.openai.com", "nobody-knows-it") is None


async def test_a_call_whose_process_died_is_settled_as_lost(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_budget(sessions, org_id)
    ledger = make_ledger(sessions)
    dead = await ledger.reserve(make_tag(org_id), "large", 300)
    await ledger.reserve(make_tag(org_id), "large", 200)  # still running
    async with tenant_transaction(sessions, org_id) as session:
        old = now() - timedelta(hours=1)
        await session.execute(
            update(AiCall)
            .where(AiCall.org_id == org_id, AiCall.id == dead)
            .values(created_at=old)
        )

    settled = [await settle_lost(sessions, 300), await settle_lost(sessions, 300)]
    await ledger.settle(dead, make_record())  # it was not dead, only slow

    async with tenant_transaction(sessions, org_id) as session:
        call = await session.get_one(AiCall, dead)
        window = (await session.scalars(select(AiBudgetWindow))).one()
    assert settled == [1, 0]
    assert (call.outcome, call.error_code) == ("lost", "process_lost")
    assert (call.cost_usd, call.charged_tokens) == (None, 300)
    assert (window.spent_tokens, window.reserved_tokens) == (300, 200)


async def test_a_long_run_is_not_taken_for_lost(
    sessions: SessionFactory, org_id: UUID
) -> None:
    await make_ledger(sessions).reserve(make_tag(org_id), "large", 300)
    async with tenant_transaction(sessions, org_id) as session:
        old = now() - timedelta(minutes=50)
        await session.execute(
            update(AiCall).where(AiCall.org_id == org_id).values(created_at=old)
        )

    assert await settle_lost(sessions, 1800) == 0


async def test_capabilities_show_what_the_probe_found(
    client: httpx2.AsyncClient,
    app: FastAPI,
    sessions: SessionFactory,
    settings: Settings,
) -> None:
    app.state.settings = settings.model_copy(update={"ai": AI})
    await probe_servers(sessions, planned_servers(AI), answering, priced)

    shown = (await client.get("/api/v1/ai/capabilities")).json()

    answer = next(
        each for each in shown["features"] if each["feature"] == "chat.answer"
    )
    assert (answer["engine"], answer["model"]) == ("model", "large")
    assert shown["servers"][0]["server"] == "models.example"
    assert shown["abilities"]["embedding_dimensions"] == 384
    assert shown["probed_at"] is not None
