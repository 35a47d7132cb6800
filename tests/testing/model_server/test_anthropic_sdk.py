"""The official client of Anthropic's wire understands every answer."""

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from dossier.testing.model_server.script import FaultKind, ScriptedFault
from dossier.testing.model_server.server import ScriptedModelServer

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

QUESTION: Any = {
    "model": "any",
    "max_tokens": 200,
    "system": "Answer briefly.",
    "messages": [{"role": "user", "content": "What is the pH of the cream?"}],
}
WEATHER: Any = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


class Answer(BaseModel):
    ph: float
    sure: bool


def error_of(name: str) -> Any:
    """Return an error of the official client by its name."""
    import anthropic as sdk  # noqa: PLC0415 - a second and a half, only here

    return getattr(sdk, name)


async def test_message_answers_whole_with_usage(anthropic: "AsyncAnthropic") -> None:
    message = await anthropic.messages.create(**QUESTION)

    assert message.content[0].type == "text"
    assert message.content[0].text.startswith("You asked: What is the pH")
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == 40
    assert message.usage.input_tokens > 5


async def test_stream_has_the_events_in_their_order(
    anthropic: "AsyncAnthropic",
) -> None:
    whole = await anthropic.messages.create(**QUESTION)
    raw = await anthropic.messages.create(**QUESTION, stream=True)
    kinds = [event.type async for event in raw]
    async with anthropic.messages.stream(**QUESTION) as stream:
        told = "".join([text async for text in stream.text_stream])
        final = await stream.get_final_message()

    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert kinds.count("content_block_delta") == 40
    assert final.content[0].type == whole.content[0].type == "text"
    assert told == final.content[0].text == whole.content[0].text
    assert final.usage.output_tokens == 40


async def test_stream_holds_a_ping(anthropic: "AsyncAnthropic") -> None:
    answer = await anthropic.messages.with_raw_response.create(**QUESTION, stream=True)
    stream: Any = await answer.parse()
    lines = [line async for line in stream.response.aiter_lines()]

    assert lines.count("event: ping") == 1


@pytest.mark.parametrize(
    "choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}]
)
async def test_tool_is_called_whole_and_streamed(
    anthropic: "AsyncAnthropic", choice: Any
) -> None:
    asked = {**QUESTION, "tools": [WEATHER], "tool_choice": choice}
    whole = await anthropic.messages.create(**asked)
    async with anthropic.messages.stream(**asked) as stream:
        final = await stream.get_final_message()

    call: Any = whole.content[0]
    assert whole.stop_reason == "tool_use"
    assert (call.type, call.name, list(call.input)) == (
        "tool_use",
        "get_weather",
        ["city"],
    )
    streamed: Any = final.content[0]
    assert streamed.input == call.input


async def test_result_of_a_tool_leads_to_text(anthropic: "AsyncAnthropic") -> None:
    asked = {**QUESTION, "tools": [WEATHER]}
    turn = {"role": "user", "content": "get_weather, please"}
    first: Any = await anthropic.messages.create(**{**asked, "messages": [turn]})
    result = {
        "type": "tool_result",
        "tool_use_id": first.content[0].id,
        "content": "Sunny.",
    }
    turns = [
        turn,
        {"role": "assistant", "content": [first.content[0].to_dict()]},
        {"role": "user", "content": [result]},
    ]
    second = await anthropic.messages.create(**{**asked, "messages": turns})

    assert second.stop_reason == "end_turn"


async def test_schema_is_filled(anthropic: "AsyncAnthropic") -> None:
    question = {**QUESTION, "messages": [{"role": "user", "content": "ph: 5.5"}]}
    message = await anthropic.messages.parse(**question, output_format=Answer)

    assert message.parsed_output
    assert message.parsed_output.ph == 5.5


async def test_prefill_is_continued_and_must_not_end_in_white_space(
    anthropic: "AsyncAnthropic",
) -> None:
    whole: Any = await anthropic.messages.create(**QUESTION)
    begun = "You asked: What is"
    turns = [*QUESTION["messages"], {"role": "assistant", "content": begun}]
    rest: Any = await anthropic.messages.create(**{**QUESTION, "messages": turns})
    turns[-1] = {"role": "assistant", "content": f"{begun} "}

    assert begun + rest.content[0].text == whole.content[0].text
    with pytest.raises(error_of("BadRequestError"), match="trailing whitespace"):
        await anthropic.messages.create(**{**QUESTION, "messages": turns})


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.RATE_LIMITED, "RateLimitError"),
        (FaultKind.SERVER_ERROR, "InternalServerError"),
        (FaultKind.OVERLOADED, "InternalServerError"),
        (FaultKind.UNAUTHORISED, "AuthenticationError"),
        (FaultKind.CONTEXT_TOO_LONG, "BadRequestError"),
        (FaultKind.STREAM_ERROR, "APIStatusError"),
    ],
)
async def test_faults_reach_the_client_as_its_own_errors(
    anthropic: "AsyncAnthropic",
    server: ScriptedModelServer,
    kind: FaultKind,
    error: str,
) -> None:
    server.play(faults=(ScriptedFault(kind=kind),))

    with pytest.raises(error_of(error)):
        async with anthropic.messages.stream(**QUESTION) as stream:
            await stream.get_final_message()


async def test_refusal_is_a_stop_reason(
    anthropic: "AsyncAnthropic", server: ScriptedModelServer
) -> None:
    server.play(faults=(ScriptedFault(kind=FaultKind.REFUSAL),))
    message = await anthropic.messages.create(**QUESTION)

    assert message.stop_reason == "refusal"
