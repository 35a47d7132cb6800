"""Servers that deviate from the wire in ways that were met: taken as what they mean."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from tests.integrations.llm.harness import (
    DONE,
    QUESTION,
    TAG,
    RememberingLedger,
    asked,
    chunk,
    end_of,
    opened,
    serving,
    sse,
    streaming,
    text_of,
    usage,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.integrations.llm.exceptions import ModelStreamCutError
from dossier.integrations.llm.thinking import ThinkingSplitter
from dossier.integrations.llm.types import TextDiscarded, Usage

END = sse(chunk(finish="stop")) + DONE


def pieces(*texts: str) -> bytes:
    return sse(*map(chunk, texts))


@pytest.mark.parametrize(
    "texts",
    [
        ["<think>", "secret", "</think>", "Once"],
        ["<th", "ink>\n", "The user ", "wants. secret", " </th", "ink>\n\n", "Once"],
        ["<think>secret</think>Once"],
        ["\n<think>", "se", "cret<", "/think", ">", "\n", "Once"],
        ["<think></think>", "Once"],
    ],
)
async def test_thinking_tags_are_not_the_answer(texts: list[str]) -> None:
    ledger = RememberingLedger()
    async with serving(streaming(pieces(*texts, " upon"), END)) as server:
        events = await asked(server.url, ledger)

    assert text_of(events) == "Once upon"


@pytest.mark.parametrize(
    "texts",
    [["<", "b>Once</b>"], ["<thin", "king"], ["A <think>b</think>"], [" ", "<", "3"]],
)
async def test_what_only_looks_like_a_tag_is_the_answer(texts: list[str]) -> None:
    async with serving(streaming(pieces(*texts), END)) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "".join(texts)


async def test_answer_that_ends_within_the_first_tag_is_kept() -> None:
    last = chunk("<", finish="stop")
    async with serving(streaming(sse(last) + DONE)) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "<"


def test_thoughts_without_an_end_are_no_answer() -> None:
    splitter = ThinkingSplitter()

    assert splitter.feed("<think>abc</th") == ("abc", "")
    assert splitter.flush() == ""
    assert splitter.feed("rest") == ("", "rest")


async def test_thoughts_without_an_opening_tag_are_discarded_at_the_end() -> None:
    first = pieces("The user ", "wants. </th", "ink>\n\nOnce", " upon")
    async with serving(streaming(first, END), streaming(first, END)) as server:
        client = opened(server.url, RememberingLedger())
        before = [event async for event in client.stream(QUESTION, TAG)]
        after = [event async for event in client.stream(QUESTION, TAG)]
        await client.close()

    discarded_at = before.index(TextDiscarded())
    assert text_of(before[discarded_at:]) == "Once upon"
    assert TextDiscarded() not in after
    assert text_of(after) == "Once upon"


def test_answer_without_thoughts_of_a_server_that_thinks_is_whole() -> None:
    splitter = ThinkingSplitter(begins_inside=True)

    assert splitter.feed("Once ") == ("", "")
    assert splitter.feed("upon") == ("", "")
    assert splitter.flush() == "Once upon"


@pytest.mark.parametrize("reason", ["error", "abort", "guardrail", ""])
async def test_unknown_finish_reason_is_not_a_good_end(reason: str) -> None:
    ledger = RememberingLedger()
    reply = sse(chunk("水"), chunk(finish=reason)) + DONE
    async with serving(streaming(reply)) as server:
        with pytest.raises(ModelStreamCutError):
            await asked(server.url, ledger)

    [row] = ledger.rows
    assert row.outcome == "cut"


async def test_missing_finish_reason_is_not_a_good_end() -> None:
    ledger = RememberingLedger()
    async with serving(streaming(sse(chunk("水")) + DONE)) as server:
        with pytest.raises(ModelStreamCutError):
            await asked(server.url, ledger)

    [row] = ledger.rows
    assert (row.outcome, row.error_code) == ("cut", "cut")


def refusing(is_refused: Callable[[Any], bool], message: str) -> Handler:
    async def step(request: Request) -> None:
        if is_refused(request.json()):
            reply = {"message": message, "type": "invalid_request_error"}
            await request.answer_json({"error": reply}, 400)
        else:
            await request.start_events()
            await request.write(pieces("Once") + END)

    return step


NO_SYSTEM = "System role not supported"
NO_MAX_TOKENS = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)
NO_OPTIONS = "Unrecognized request argument supplied: stream_options"
NO_TEMPERATURE = "'temperature' does not support 0 with this model."


def has_system(body: Any) -> bool:
    return any(turn["role"] == "system" for turn in body["messages"])


def having(name: str) -> Callable[[Any], bool]:
    return lambda body: name in body


@pytest.mark.parametrize(
    ("is_refused", "message"),
    [
        (having("max_tokens"), NO_MAX_TOKENS),
        (having("stream_options"), NO_OPTIONS),
        (having("stream_options"), "stream_options: Unknown field"),
        (has_system, NO_SYSTEM),
        (has_system, "Unexpected role 'system'"),
    ],
)
async def test_refused_part_is_left_out_and_remembered(
    is_refused: Callable[[Any], bool], message: str
) -> None:
    ledger = RememberingLedger()
    async with serving(refusing(is_refused, message)) as server:
        client = opened(server.url, ledger)
        for _ in range(2):
            assert (await client.complete(QUESTION, TAG)).text == "Once"
        await client.close()

    assert [is_refused(body) for body in server.bodies] == [True, False, False]
    assert [row.outcome for row in ledger.rows] == ["completed"] * 2


async def test_limit_and_system_prompt_are_sent_in_another_way() -> None:
    def is_refused(body: Any) -> bool:
        return has_system(body) or "max_tokens" in body

    async with serving(
        refusing(has_system, NO_SYSTEM),
        refusing(having("max_tokens"), NO_MAX_TOKENS),
        refusing(is_refused, "never"),
    ) as server:
        await asked(server.url, RememberingLedger())

    assert server.bodies[-1]["max_completion_tokens"] == 1024
    assert server.bodies[-1]["messages"] == [
        {"role": "user", "content": "Answer from the passages.\n\n成分是什麼"}
    ]


async def test_limit_that_is_too_high_is_no_refused_part() -> None:
    message = "max_tokens is too large: 1024. This model takes at most 512."
    async with serving(refusing(having("max_tokens"), message)) as server:
        with pytest.raises(Exception, match="answered 400"):
            await asked(server.url, RememberingLedger())

    assert len(server.requests) == 1


async def test_json_instead_of_a_stream_is_taken() -> None:
    async def whole(request: Request) -> None:
        message = {"role": "assistant", "content": "<think>hm</think>Once"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = {"id": "c", "object": "chat.completion", "model": "quirky"}
        counts = {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18}
        await request.answer_json(reply | {"choices": [choice], "usage": counts})

    ledger = RememberingLedger()
    async with serving(whole) as server:
        events = await asked(server.url, ledger)

    assert text_of(events) == "Once"
    assert end_of(events).model == "quirky"
    assert ledger.rows[0].usage == Usage(10, 8, 0)


@pytest.mark.parametrize(
    "ping",
    [
        b"data:\n\n",
        b"data: \n\n",
        b"data: : keepalive\n\n",
        b": OPENROUTER PROCESSING\n\n",
        b"event: ping\n\n",
        b'event: ping\ndata: {"type":"ping"}\n\n',
        b"id: 7\n\n",
        b"retry: 100\n\n",
    ],
)
async def test_pings_are_skipped(ping: bytes) -> None:
    reply = ping + pieces("Once") + ping + pieces(" upon") + ping + END
    async with serving(streaming(reply)) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "Once upon"


async def test_lines_end_in_any_way_and_are_cut_anywhere() -> None:
    reply = (pieces("水", "和油") + sse(usage(5, 2)) + END).replace(b"\n", b"\r\n")
    reply = reply.replace(b"data: ", b"data:")
    bytewise = [reply[at : at + 1] for at in range(len(reply))]
    async with serving(streaming(*bytewise)) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "水和油"
    assert end_of(events).usage == Usage(5, 2, 0)


async def test_usage_that_is_repeated_is_counted_once() -> None:
    steps = [chunk("a", usage=usage(9, n)["usage"]) for n in range(1, 4)]
    end = chunk(finish="stop", usage=usage(9, 3)["usage"])
    reply = sse(*steps, end, usage(9, 3)) + DONE
    async with serving(streaming(reply)) as server:
        events = await asked(server.url, RememberingLedger())

    assert end_of(events).usage == Usage(9, 3, 0)


async def test_usage_in_the_text_of_an_answer_is_text() -> None:
    text = orjson.dumps({"usage": {"prompt_tokens": 1}}).decode()
    async with serving(streaming(pieces("x", text), END)) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "x" + text
    assert end_of(events).usage == Usage()


async def test_part_refused_to_many_at_once_is_left_out_by_all() -> None:
    async with serving(refusing(having("max_tokens"), NO_MAX_TOKENS)) as server:
        client = opened(server.url, RememberingLedger())
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(client.complete(QUESTION, TAG)) for _ in range(5)
            ]
        await client.close()

    assert [task.result().text for task in asking] == ["Once"] * 5


@pytest.mark.parametrize("fault_type", ["extra_forbidden", "value_error"])
async def test_parameter_that_a_validation_error_names_is_left_out(
    fault_type: str,
) -> None:
    fault = {
        "type": fault_type,
        "loc": ["body", "stream_options"],
        "msg": "Extra inputs are not permitted",
        "input": "max_tokens",
    }

    async def step(request: Request) -> None:
        if "stream_options" in request.json():
            await request.answer_json({"detail": [fault]}, 422)
        else:
            await streaming(pieces("Once") + END)(request)

    async with serving(step) as server:
        await asked(server.url, RememberingLedger())

    assert "max_tokens" in server.bodies[-1]


async def test_words_of_the_question_that_an_error_repeats_are_no_refused_part() -> (
    None
):
    error = {"message": "Invalid body", "input": "unknown max_tokens, system role"}

    async def step(request: Request) -> None:
        await request.answer_json({"error": error}, 400)

    async with serving(step) as server:
        with pytest.raises(Exception, match="answered 400"):
            await asked(server.url, RememberingLedger())

    assert len(server.requests) == 1
