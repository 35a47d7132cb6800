"""Typed answers, tools and their limits."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from tests.integrations.llm.harness import (
    TAG,
    RememberingLedger,
    ScriptedServer,
    failing,
    listing,
    planned,
    serving,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.core.errors import AppError, PaymentRequiredError
from dossier.core.settings import AiSettings
from dossier.integrations.llm.client import AskAbilities, ChatClient
from dossier.integrations.llm.exceptions import (
    ModelContextTooLongError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelResponseMalformedError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from dossier.integrations.llm.plan import model_plan
from dossier.integrations.llm.server import output_form
from dossier.integrations.llm.types import CallOutcome, ServerAbilities, Usage


class Sum(BaseModel):
    """A sum."""

    sum: int


FIVE = '{"sum": 5}'
FILLS = ServerAbilities(reachable=True, json_schema=True, tools=True)
CALLS = ServerAbilities(reachable=True, json_schema=False, tools=True)
CHATS = ServerAbilities(reachable=True, json_schema=False, tools=False)


def completion(message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    counts = {
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, **message},
        "finish_reason": finish,
    }
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "choices": [choice],
        "usage": counts,
    }


def saying(content: str | None, finish: str = "stop", **more: Any) -> Handler:
    async def step(request: Request) -> None:
        await request.answer_json(completion({"content": content, **more}, finish))

    return step


def calling(name: str, arguments: str) -> Handler:
    function = {"name": name, "arguments": arguments}
    call = {"id": "a", "type": "function", "function": function}
    return saying(None, tool_calls=[call])


async def html(request: Request) -> None:
    await request.answer(b"<html>", headers={"Content-Type": "text/html"})


async def half(request: Request) -> None:
    headers = {"Content-Type": "application/json"}
    await request.answer(b'{"choices": [', headers=headers)


async def slow(request: Request) -> None:
    del request
    await asyncio.sleep(30)


def asking(abilities: ServerAbilities | None) -> AskAbilities:
    async def ask() -> ServerAbilities | None:
        return abilities

    return ask


async def summed(
    ledger: RememberingLedger,
    *steps: Handler,
    abilities: ServerAbilities | None = FILLS,
    tools: tuple[Callable[..., Any], ...] = (),
    max_requests: int = 8,
    **overrides: Any,
) -> tuple[Sum, ScriptedServer]:
    async with serving(*steps) as server:
        plan = planned(server.url, **overrides)
        client = ChatClient(plan, ledger, asking(abilities))
        try:
            found = await client.typed(
                Sum,
                instructions="Add.",
                prompt="2 + 3",
                tag=TAG,
                tools=tools,
                max_requests=max_requests,
            )
            return found, server
        finally:
            await client.close()


@pytest.mark.slow  # the first import of pydantic-ai and the SDKs takes a second
async def test_an_answer_comes_as_its_type() -> None:
    ledger = RememberingLedger()
    found, server = await summed(ledger, saying(FIVE), api_key=SecretStr("sk-1"))

    assert found == Sum(sum=5)
    [row] = ledger.rows
    assert row.usage == Usage(10, 3, 4)
    assert (row.model, row.outcome, row.provider) == (
        "small",
        CallOutcome.COMPLETED,
        "openai",
    )
    assert server.requests[0].headers["authorization"] == "Bearer sk-1"
    assert server.bodies[0]["max_tokens"] == 1024
    [(_model, tokens)] = ledger.reserved.values()
    assert tokens > 1024


@pytest.mark.parametrize(
    ("abilities", "step", "is_asked_by"),
    [
        (FILLS, saying(FIVE), {"response_format"}),
        (CALLS, calling("final_result", FIVE), {"tools", "tool_choice"}),
        (None, calling("final_result", FIVE), {"tools", "tool_choice"}),
        (CHATS, saying(f"```json\n{FIVE}\n```"), set()),
    ],
)
async def test_the_form_follows_what_the_server_can_do(
    abilities: ServerAbilities | None, step: Handler, is_asked_by: set[str]
) -> None:
    found, server = await summed(RememberingLedger(), step, abilities=abilities)

    assert found == Sum(sum=5)
    plain = {"model", "messages", "stream", "max_tokens"}
    assert set(server.bodies[0]) - plain == is_asked_by


async def test_an_answer_that_does_not_fit_is_asked_again() -> None:
    ledger = RememberingLedger()
    found, _server = await summed(ledger, saying('{"sum": "x"}'), saying(FIVE))

    assert found == Sum(sum=5)
    assert [row.outcome for row in ledger.rows] == [CallOutcome.COMPLETED] * 2


async def test_tools_are_called_in_between() -> None:
    looked_up: list[str] = []

    def look_up(name: str) -> str:
        """Look a number up."""
        looked_up.append(name)
        return "3"

    ledger = RememberingLedger()
    steps = (calling("look_up", '{"name": "three"}'), saying(FIVE))
    found, _server = await summed(ledger, *steps, tools=(look_up,))

    assert (found.sum, looked_up, len(ledger.rows)) == (5, ["three"], 2)


async def test_a_model_that_only_calls_tools_is_stopped() -> None:
    def look_up(name: str) -> str:
        """Look a number up."""
        return name

    ledger = RememberingLedger()
    with pytest.raises(ModelResponseMalformedError, match="calls allowed"):
        await summed(
            ledger,
            calling("look_up", '{"name": "x"}'),
            tools=(look_up,),
            max_requests=3,
        )

    assert len(ledger.rows) == 3


@pytest.mark.parametrize(
    ("step", "kind", "codes"),
    [
        (saying('{"sum": "x"}'), ModelResponseMalformedError, [None] * 3),
        (failing(500), ModelUnavailableError, ["http_500"]),
        (failing(429), ModelRateLimitedError, ["http_429"]),
        (failing(401, {"message": "sk"}), ModelUnavailableError, ["http_401"]),
        (
            failing(400, {"code": "context_length_exceeded"}),
            ModelContextTooLongError,
            ["context_too_long"],
        ),
        (saying(None, refusal="No."), ModelRefusedError, [None]),
        (saying('{"sum":', finish="length"), ModelResponseMalformedError, [None]),
        (html, ModelResponseMalformedError, ["malformed"]),
        (half, ModelResponseMalformedError, ["malformed"]),
        (slow, ModelTimeoutError, ["first_token_timeout"]),
    ],
)
async def test_faults_have_the_names_of_the_relay(
    step: Handler, kind: type[AppError], codes: list[str | None]
) -> None:
    ledger = RememberingLedger()
    patience_s = 0.1 if kind is ModelTimeoutError else 30
    with pytest.raises(AppError) as caught:
        await summed(
            ledger, step, first_token_timeout_s=patience_s, idle_timeout_s=patience_s
        )

    assert type(caught.value) is kind
    assert [row.error_code for row in ledger.rows] == codes


async def test_the_next_server_answers_when_the_first_cannot() -> None:
    ledger = RememberingLedger()
    async with serving(saying(FIVE)) as spare:
        found, _server = await summed(
            ledger,
            failing(401),
            fallback_base_url=spare.url,
            fallback_model="spare",
        )

    assert found == Sum(sum=5)
    assert [row.model for row in ledger.rows] == ["small", "spare"]


async def test_when_all_fail_the_first_failure_is_raised() -> None:
    async with serving(failing(404)) as spare:
        with pytest.raises(ModelUnavailableError, match="401"):
            await summed(
                RememberingLedger(),
                failing(401),
                fallback_base_url=spare.url,
                fallback_model="spare",
            )


async def test_a_budget_that_forbids_the_call_reaches_no_server() -> None:
    async with serving(saying(FIVE)) as spare:
        with pytest.raises(PaymentRequiredError):
            await summed(
                RememberingLedger(limit_tokens=1),
                saying(FIVE),
                fallback_base_url=spare.url,
                fallback_model="spare",
            )

    assert spare.requests == []


async def test_a_cancelled_question_is_settled() -> None:
    ledger, asked = RememberingLedger(), asyncio.Event()

    async def never(request: Request) -> None:
        asked.set()
        await slow(request)

    task = asyncio.create_task(summed(ledger, never))
    await asyncio.wait_for(asked.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [row.outcome for row in ledger.rows] == [CallOutcome.CANCELLED]


async def test_the_only_model_of_a_server_needs_no_name() -> None:
    ledger = RememberingLedger()
    await summed(ledger, listing("qwen"), saying(FIVE), model=None)

    assert [row.model for row in ledger.rows] == ["qwen"]


@pytest.mark.parametrize(
    ("model", "form"),
    [("claude-sonnet-5-5", "NativeOutput"), ("claude-sonnet-4-0", "ToolOutput")],
)
def test_only_models_that_fill_schemas_are_asked_to(model: str, form: str) -> None:
    plan = model_plan(AiSettings(anthropic_api_key=SecretStr("k"), model=model))
    assert plan is not None
    wanted = output_form(Sum, plan.servers[0], model, None)

    assert type(wanted).__name__ == form


@pytest.mark.slow  # the first import of its SDK takes a second
async def test_anthropic_is_asked_by_its_own_sdk() -> None:
    async def answer(request: Request) -> None:
        counts = {"input_tokens": 8, "output_tokens": 2, "cache_read_input_tokens": 4}
        await request.answer_json(
            {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "claude-x",
                "content": [{"type": "text", "text": FIVE}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": counts,
            }
        )

    ledger = RememberingLedger()
    async with serving(answer) as server:
        settings = AiSettings(
            anthropic_base_url=server.url, anthropic_api_key=SecretStr("sk-ant")
        )
        plan = model_plan(settings)
        assert plan is not None
        client = ChatClient(plan, ledger)
        found = await client.typed(Sum, instructions="Add.", prompt="2 + 3", tag=TAG)
        await client.close()

    assert found == Sum(sum=5)
    [request] = server.requests
    assert request.headers["authorization"] == "Bearer sk-ant"
    assert b"cache_control" in request.body
    [row] = ledger.rows
    assert row.provider == "anthropic"
    assert row.usage == Usage(12, 2, 4)
