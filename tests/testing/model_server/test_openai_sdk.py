"""The official client of OpenAI's wire understands every answer."""

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field

from dossier.integrations.llm.language_pairs import (
    LANGUAGES,
    load_pairs,
    sentences,
    separates,
)
from dossier.testing.model_server.script import Rule
from dossier.testing.model_server.server import ScriptedModelServer

if TYPE_CHECKING:
    from openai import AsyncOpenAI

QUESTION: Any = [
    {"role": "system", "content": "Answer briefly."},
    {"role": "user", "content": "What is the pH of the cream?"},
]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
            },
            "required": ["city", "days"],
        },
    },
}


class Verdict(StrEnum):
    PASSES = "passes"
    FAILS = "fails"


class Finding(BaseModel):
    verdict: Verdict
    ph: float = Field(ge=3, le=9)
    batch: str
    methods: list[str] = Field(min_length=2, max_length=3)
    note: str | None


async def test_models_are_listed(openai: "AsyncOpenAI") -> None:
    names = [model.id async for model in openai.models.list()]

    assert names == ["scripted", "scripted-embedding"]


async def test_chat_answers_whole_with_usage(openai: "AsyncOpenAI") -> None:
    completion = await openai.chat.completions.create(model="any", messages=QUESTION)

    choice = completion.choices[0]
    assert choice.message.content
    assert choice.message.content.startswith("You asked: What is the pH")
    assert choice.finish_reason == "stop"
    assert completion.usage
    assert completion.usage.completion_tokens == 40
    assert completion.usage.prompt_tokens > 5
    assert completion.model == "any"


async def test_stream_gives_the_same_text_token_by_token(openai: "AsyncOpenAI") -> None:
    whole = await openai.chat.completions.create(model="any", messages=QUESTION)
    stream = await openai.chat.completions.create(
        model="any",
        messages=QUESTION,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]

    told = [c.choices[0].delta.content for c in chunks if c.choices]
    assert "".join(filter(None, told)) == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_stream_has_usage_only_on_request(
    openai: "AsyncOpenAI",
) -> None:
    stream = await openai.chat.completions.create(
        model="any", messages=QUESTION, stream=True
    )
    chunks = [chunk async for chunk in stream]

    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


async def test_answer_ends_at_the_token_limit_and_at_a_stop(
    openai: "AsyncOpenAI",
) -> None:
    short = await openai.chat.completions.create(
        model="any", messages=QUESTION, max_completion_tokens=3
    )
    stopped = await openai.chat.completions.create(
        model="any", messages=QUESTION, stop=["pH"]
    )

    assert short.choices[0].finish_reason == "length"
    assert short.choices[0].message.content == "You asked:"
    assert stopped.choices[0].message.content == "You asked: What is the "


async def test_tool_is_called_once_and_then_answered_with_text(
    openai: "AsyncOpenAI",
) -> None:
    asked: Any = [{"role": "user", "content": "Please get weather. city: Taipei"}]
    first = await openai.chat.completions.create(
        model="any", messages=asked, tools=[WEATHER]
    )
    message: Any = first.choices[0].message
    call = message.tool_calls[0]
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Sunny."}
    second = await openai.chat.completions.create(
        model="any", messages=[*asked, message.to_dict(), result], tools=[WEATHER]
    )

    assert first.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, call.function.arguments) == (
        "get_weather",
        '{"city":"Taipei","days":1}',
    )
    assert second.choices[0].message.tool_calls is None
    assert second.choices[0].message.content


async def test_streamed_arguments_of_a_tool_join_to_json(openai: "AsyncOpenAI") -> None:
    async with openai.chat.completions.stream(
        model="any",
        messages=QUESTION,
        tools=[WEATHER],
        tool_choice="required",
    ) as stream:
        deltas = [e async for e in stream if e.type.endswith("arguments.delta")]
        final: Any = await stream.get_final_completion()

    function = final.choices[0].message.tool_calls[0].function
    assert function.name == "get_weather"
    assert function.arguments.startswith('{"city":"')
    assert len(deltas) > 3


async def test_rule_sets_the_answer_and_the_tool_to_call(
    server: ScriptedModelServer, openai: "AsyncOpenAI"
) -> None:
    server.play(
        rules=(
            Rule(when="PH of", reply="5.5"),
            Rule(when="rain", tool="get_weather", arguments={"city": "Tainan"}),
        )
    )
    told = await openai.chat.completions.create(model="any", messages=QUESTION)
    called: Any = await openai.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Will it rain?"}],
        tools=[WEATHER],
    )

    assert told.choices[0].message.content == "5.5"
    arguments = called.choices[0].message.tool_calls[0].function.arguments
    assert arguments == '{"city":"Tainan"}'


async def test_parse_fills_a_schema_from_the_words_of_the_prompt(
    openai: "AsyncOpenAI",
) -> None:
    text = "batch: RC-2401. The sample passes. The pH is 5.5 at 25 degrees."
    completion = await openai.chat.completions.parse(
        model="any",
        messages=[{"role": "user", "content": text}],
        response_format=Finding,
    )

    found = completion.choices[0].message.parsed
    assert found
    assert found.verdict is Verdict.PASSES
    assert found.ph == 5.5
    assert found.batch.startswith("RC-2401")
    assert len(found.methods) >= 2


async def test_refusal_is_in_its_own_member(
    server: ScriptedModelServer, openai: "AsyncOpenAI"
) -> None:
    server.play(faults=({"kind": "refusal"},))
    whole = await openai.chat.completions.create(model="any", messages=QUESTION)
    stream = await openai.chat.completions.create(
        model="any", messages=QUESTION, stream=True
    )
    told = [chunk.choices[0].delta.refusal async for chunk in stream]

    assert whole.choices[0].message.content is None
    assert whole.choices[0].message.refusal == "".join(filter(None, told))


async def test_embeddings_of_similar_texts_are_similar(openai: "AsyncOpenAI") -> None:
    texts = [
        "The pH of the rose cream is 5.5",
        "rose cream: pH value",
        "Invoices are paid within thirty days",
        "玫瑰面霜的酸鹼值為 5.5",
        "玫瑰面霜酸鹼值多少",
        "發票三十天內付款",
    ]
    answer = await openai.embeddings.create(model="any", input=texts, dimensions=512)
    vectors = [row.embedding for row in answer.data]

    assert all(math.isclose(math.hypot(*row), 1, abs_tol=1e-5) for row in vectors)
    for near in (0, 3):
        like = _dot(vectors[near], vectors[near + 1])
        unlike = _dot(vectors[near], vectors[near + 2])
        assert like > unlike + 0.2


async def test_base64_embeddings_equal_the_plain_ones(openai: "AsyncOpenAI") -> None:
    # Without a format the client asks for base64 and unpacks it.
    packed = await openai.embeddings.create(model="any", input="rose cream")
    plain = await openai.embeddings.create(
        model="any", input=["rose cream"], encoding_format="float"
    )

    left, right = packed.data[0].embedding, plain.data[0].embedding
    assert len(left) == len(right) == 256
    assert all(
        math.isclose(a, b, abs_tol=1e-6) for a, b in zip(left, right, strict=True)
    )


def _dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_texts_of_one_group_have_equal_embeddings(
    server: ScriptedModelServer, openai: "AsyncOpenAI"
) -> None:
    server.play(alike=[("Apply twice daily.", "早晚各一次。")])
    answer = await openai.embeddings.create(
        model="any", input=["早晚各一次。", "Apply twice daily.", "Rinse."]
    )
    one, same, other = (row.embedding for row in answer.data)

    assert one == same != other


@pytest.mark.parametrize(
    ("english_only", "known"), [(False, ["en", "zh"]), (True, ["en"])]
)
async def test_language_check_of_embedders_finds_the_expected_languages(
    server: ScriptedModelServer,
    openai: "AsyncOpenAI",
    *,
    english_only: bool,
    known: list[str],
) -> None:
    server.play(english_only=english_only)
    found = []
    for language in LANGUAGES:
        texts = sentences(load_pairs(language))
        answer = await openai.embeddings.create(model="any", input=texts)
        if separates([row.embedding for row in answer.data]):
            found.append(language)

    assert found == known


async def test_english_embedder_cannot_tell_chinese_apart(
    server: ScriptedModelServer, openai: "AsyncOpenAI"
) -> None:
    server.play(english_only=True)
    answer = await openai.embeddings.create(
        model="any", input=["玫瑰面霜", "發票付款", "rose cream"]
    )
    rose, invoice, english = (row.embedding for row in answer.data)

    assert rose == invoice
    assert english != rose
