import asyncio
import socket
from dataclasses import replace

import pytest
from tests.integrations.llm.harness import (
    DONE,
    QUESTION,
    TAG,
    WHOLE,
    RememberingLedger,
    asked,
    chunk,
    end_of,
    listing,
    opened,
    serving,
    silent_after,
    sse,
    streaming,
    text_of,
    usage,
)

from dossier.core.errors import PaymentRequiredError
from dossier.integrations.llm.exceptions import ModelUnavailableError
from dossier.integrations.llm.types import (
    CallOutcome,
    Completion,
    CompletionRequest,
    PromptMessage,
    Purpose,
    Usage,
)


async def test_an_answer_comes_in_pieces_with_what_it_cost() -> None:
    ledger = RememberingLedger()
    async with serving(streaming(WHOLE)) as server:
        events = await asked(server.url, ledger, api_key="sk-1")

    assert text_of(events) == "水和油"
    assert end_of(events).finish_reason == "stop"
    assert end_of(events).usage == Usage(20, 3, 8)
    [row] = ledger.rows
    assert (row.provider, row.model, row.outcome) == ("openai", "small", "completed")
    assert row.usage == Usage(20, 3, 8)
    assert not row.is_estimated
    assert row.first_token_ms is not None
    assert server.url.removeprefix("http://").startswith(row.server)


async def test_what_is_asked_is_of_openais_wire() -> None:
    async with serving(streaming(WHOLE)) as server:
        request = replace(QUESTION, max_output_tokens=50)
        await asked(server.url, RememberingLedger(), request, api_key="sk-1")

    assert server.bodies == [
        {
            "model": "small",
            "messages": [
                {"role": "system", "content": "Answer from the passages."},
                {"role": "user", "content": "成分是什麼"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 50,
        }
    ]
    [request_seen] = server.requests
    assert request_seen.path == "/v1/chat/completions"
    assert request_seen.headers["authorization"] == "Bearer sk-1"


async def test_tokens_are_set_aside_before_the_call() -> None:
    ledger = RememberingLedger()
    async with serving(streaming(WHOLE)) as server:
        request = replace(QUESTION, max_output_tokens=50)
        await asked(server.url, ledger, request)

    [(model, tokens)] = ledger.reserved.values()
    assert model == "small"
    assert tokens == 50 + (4 + 8) + (4 + 5)


async def test_a_budget_that_forbids_the_call_reaches_no_server() -> None:
    async with serving(streaming(WHOLE)) as server:
        with pytest.raises(PaymentRequiredError):
            await asked(server.url, RememberingLedger(limit_tokens=10))

    assert server.requests == []


async def test_where_the_server_counts_nothing_the_ledger_estimates() -> None:
    ledger = RememberingLedger()
    silent_on_usage = sse(chunk("水和油"), chunk(finish="stop")) + DONE
    async with serving(streaming(silent_on_usage)) as server:
        events = await asked(server.url, ledger)

    assert end_of(events).usage == Usage()
    [row] = ledger.rows
    assert row.is_estimated
    assert row.usage == Usage(12 + 9, 3, None)


async def test_an_answer_that_grew_too_long_says_so() -> None:
    async with serving(streaming(sse(chunk("水", finish="length")) + DONE)) as server:
        events = await asked(server.url, RememberingLedger())

    assert end_of(events).finish_reason == "length"


async def test_a_refusal_ends_as_one() -> None:
    ledger = RememberingLedger()
    refusal = {"model": "small", "choices": [{"delta": {"refusal": "I cannot."}}]}
    stream = sse(refusal, chunk(finish="stop"), usage(5, 2)) + DONE
    async with serving(streaming(stream)) as server:
        events = await asked(server.url, ledger)

    assert text_of(events) == "I cannot."
    assert end_of(events).finish_reason == "refusal"
    assert ledger.rows[0].outcome is CallOutcome.REFUSED


async def test_hidden_reasoning_and_zero_bytes_are_not_handed_out() -> None:
    thinking = {"choices": [{"delta": {"reasoning_content": "hm", "content": None}}]}
    stream = sse(thinking, chunk("a\0b"), chunk(finish="stop")) + DONE
    async with serving(streaming(stream)) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "ab"


async def test_a_stream_that_ends_without_its_mark_is_whole_if_it_says_why() -> None:
    async with serving(streaming(sse(chunk("水", finish="stop")))) as server:
        events = await asked(server.url, RememberingLedger())

    assert text_of(events) == "水"


async def test_a_whole_answer_is_put_together() -> None:
    async with serving(streaming(WHOLE)) as server:
        client = opened(server.url, RememberingLedger())
        completion = await client.complete(QUESTION, TAG)
        await client.close()

    assert completion == Completion("水和油", "small", Usage(20, 3, 8), "stop")


async def test_one_connection_serves_answers_one_after_another() -> None:
    async with serving(streaming(WHOLE)) as server:
        client = opened(server.url, RememberingLedger())
        for _ in range(3):
            await client.complete(QUESTION, TAG)
        await client.close()

    assert len(server.peers) == 3
    assert len(set(server.peers)) == 1


async def test_a_server_that_names_its_model_is_asked_for_it_before_a_call() -> None:
    async with serving(listing("qwen"), streaming(WHOLE)) as server:
        client = opened(server.url, RememberingLedger(), model=None)
        assert await client.find_name(Purpose.STRONG) == "qwen"
        await client.complete(QUESTION, TAG)
        await client.close()

    paths = [request.path for request in server.requests]
    assert paths == ["/v1/models", "/v1/chat/completions"]


async def test_a_name_that_no_server_lists_stays_open() -> None:
    async with serving(listing()) as server:
        client = opened(server.url, RememberingLedger(), model=None)
        assert await client.find_name(Purpose.STRONG) == "auto"
        await client.close()


async def test_the_beginning_of_an_answer_is_gone_on_with() -> None:
    begun = (*QUESTION.messages, PromptMessage("assistant", "水和"))
    async with serving(streaming(WHOLE)) as server:
        await asked(server.url, RememberingLedger(), CompletionRequest(begun))

    assert server.bodies[0]["continue_final_message"] is True
    assert server.bodies[0]["add_generation_prompt"] is False


async def test_the_only_model_of_a_server_needs_no_name() -> None:
    ledger = RememberingLedger()
    steps = (listing("qwen", "bge-embed"), streaming(WHOLE))
    async with serving(*steps) as server:
        client = opened(server.url, ledger, model=None)
        assert client.model_name(Purpose.STRONG) == "auto"
        for _ in range(2):
            await client.complete(QUESTION, TAG)
        assert client.model_name(Purpose.STRONG) == "qwen"
        await client.close()

    assert [r.path for r in server.requests] == [
        "/v1/models",
        "/v1/chat/completions",
        "/v1/chat/completions",
    ]
    assert [row.model for row in ledger.rows] == ["qwen", "qwen"]


async def test_of_several_models_a_setting_must_name_one() -> None:
    ledger = RememberingLedger()
    async with serving(listing("qwen", "llama")) as server:
        with pytest.raises(ModelUnavailableError, match="lists 2 models"):
            await asked(server.url, ledger, model=None)

    assert [row.error_code for row in ledger.rows] == ["model_unnamed"]


async def test_without_a_model_for_a_purpose_nothing_is_asked() -> None:
    async with serving(streaming(WHOLE)) as server:
        with pytest.raises(ModelUnavailableError, match="vision"):
            await asked(
                server.url,
                RememberingLedger(),
                replace(QUESTION, purpose=Purpose.VISION),
            )

    assert server.requests == []


async def test_half_a_character_does_not_hinder_a_question() -> None:
    async with serving(streaming(WHOLE)) as server:
        odd = CompletionRequest((PromptMessage("user", "\ud83d"),))
        events = await asked(server.url, RememberingLedger(), odd)

    assert text_of(events) == "水和油"


async def test_model_built_before_its_name_is_known_is_called_by_the_name() -> None:
    async with serving(listing("qwen"), streaming(WHOLE)) as server:
        client = opened(server.url, RememberingLedger(), model=None)
        client.warm_up()
        assert await client.find_name(Purpose.STRONG) == "qwen"
        for purpose in (Purpose.STRONG, Purpose.CHEAP):
            await client.complete(replace(QUESTION, purpose=purpose), TAG)
        await client.close()

    assert [body["model"] for body in server.bodies[1:]] == ["qwen", "qwen"]


async def test_list_of_models_is_not_waited_for_without_end() -> None:
    ledger = RememberingLedger()
    async with serving(silent_after()) as server:
        client = opened(server.url, ledger, model=None, first_token_timeout_s=0.1)
        async with asyncio.timeout(2):
            assert await client.find_name(Purpose.STRONG) == "auto"
        await client.close()


async def test_server_that_is_off_and_names_its_model_itself_is_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"

    with pytest.raises(ModelUnavailableError, match="cannot be reached"):
        await asked(url, RememberingLedger(), model=None, max_retries=0)
