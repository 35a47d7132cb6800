"""Every way of the scripted server to fail ends, through the relay, under a name."""

import asyncio
import time
from collections.abc import Callable

import pytest
from tests.integrations.llm.harness import QUESTION, TAG, RememberingLedger

from dossier.core.errors import AppError
from dossier.core.settings import AiSettings
from dossier.integrations.llm.client import ChatClient
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.types import Completed, Completion
from dossier.testing.model_server.script import Deviation, FaultKind, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer

NAMES = {
    FaultKind.RATE_LIMITED: "model_rate_limited",
    FaultKind.SERVER_ERROR: "model_unavailable",
    FaultKind.OVERLOADED: "model_unavailable",
    FaultKind.UNAUTHORISED: "model_unavailable",
    FaultKind.CONTEXT_TOO_LONG: "model_context_too_long",
    FaultKind.NEVER_ANSWERS: "model_timeout",
    FaultKind.MALFORMED: "model_response_malformed",
    FaultKind.CUT: "model_stream_cut",
    FaultKind.SILENCE: "model_timeout",
    FaultKind.STREAM_ERROR: "model_unavailable",
}
"""The rest are answers: what is wrong with those, others must see."""
UNNAMED_EVENT = (FaultKind.MALFORMED, "anthropic")
"""The official client passes over an event without a name; then the end is missing."""
SILENT = {FaultKind.NEVER_ANSWERS, FaultKind.SILENCE}
REFUSALS = {FaultKind.REFUSAL, FaultKind.CONTENT_FILTER}


def opened(
    server: ScriptedModelServer,
    wire: str,
    ledger: RememberingLedger,
    patience_s: float = 5,
) -> ChatClient:
    where = {
        "openai": {"base_url": server.base_url, "model": "scripted"},
        "anthropic": {"anthropic_base_url": server.root_url, "model": "scripted"},
    }[wire]
    # Short only where it must run out: a busy machine makes its own silences.
    limits = {"first_token_timeout_s": patience_s, "idle_timeout_s": patience_s}
    limits |= {"max_retries": 0}
    given = where | limits
    plan = model_plan(AiSettings.model_validate(given))
    assert plan is not None
    return ChatClient(plan, ledger)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - the server's counts tell nobody
            await asyncio.sleep(0.005)


async def ended(client: ChatClient) -> Completion | AppError:
    try:
        return await asyncio.wait_for(client.complete(QUESTION, TAG), 10)
    except AppError as error:
        return error
    finally:
        await client.close()


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("kind", list(FaultKind))
async def test_every_fault_ends_in_a_named_error_or_in_an_answer(
    server: ScriptedModelServer, kind: FaultKind, wire: str
) -> None:
    server.play(faults=[ScriptedFault(kind=kind)])
    ledger = RememberingLedger()

    patience_s = 0.2 if kind in SILENT else 5
    end = await ended(opened(server, wire, ledger, patience_s))

    if isinstance(end, AppError):
        is_cut = (kind, wire) == UNNAMED_EVENT
        name = "model_stream_cut" if is_cut else NAMES.get(kind, "model_refused")
        assert end.code() == name
    else:
        assert kind not in NAMES
        assert (end.finish_reason == "refusal") is (kind in REFUSALS)
    assert len(ledger.rows) == server.calls.begun


@pytest.mark.parametrize("deviation", list(Deviation))
async def test_deviation_from_the_wire_leaves_the_answer_as_it_is(
    server: ScriptedModelServer, deviation: Deviation
) -> None:
    server.play(reply="Once upon a time a cream was made.", deviations=[deviation])
    ledger = RememberingLedger()

    end = await ended(opened(server, "openai", ledger))

    if deviation is Deviation.UNKNOWN_FINISH:
        assert isinstance(end, AppError)
        assert end.code() == "model_stream_cut"
    else:
        assert isinstance(end, Completion)
        assert end.text == "Once upon a time a cream was made."
        assert end.finish_reason == "stop"
    assert len(ledger.rows) == 1


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("after", [0, 3], ids=["before a token", "in mid-stream"])
async def test_cancel_reaches_the_server_within_a_second(
    server: ScriptedModelServer, wire: str, after: int
) -> None:
    server.play(reply_tokens=5_000, delay_per_token_ms=20 if after else 60_000)
    ledger, seen = RememberingLedger(), 0
    client = opened(server, wire, ledger)

    async def read() -> None:
        nonlocal seen
        async for event in client.stream(QUESTION, TAG):
            assert not isinstance(event, Completed)
            seen += 1

    task = asyncio.create_task(read())
    await until(lambda: server.calls.begun > 0 and seen >= after)
    began_s = time.monotonic()
    task.cancel()
    await asyncio.wait({task})
    await until(lambda: server.calls.open == 0)

    assert time.monotonic() - began_s < 1
    assert [row.outcome for row in ledger.rows] == ["cancelled"]
    await client.close()
