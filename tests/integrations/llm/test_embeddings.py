import asyncio
import base64
import math
import sys
from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integrations.llm.harness import (
    TAG,
    RememberingLedger,
    ScriptedServer,
    failing,
    planned,
    serving,
    silent_after,
)
from tests.integrations.llm.http_server import Handler, Request

from dossier.core.errors import AppError, PaymentRequiredError
from dossier.integrations.llm.embeddings import (
    MAX_BATCH_TEXTS,
    MAX_BATCH_TOKENS,
    batches,
    open_embedder,
)
from dossier.integrations.llm.exceptions import (
    ModelExtraMissingError,
    ModelResponseMalformedError,
    ModelStreamCutError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from dossier.integrations.llm.local import open_local_embedder
from dossier.integrations.llm.types import CallOutcome, Usage
from dossier.integrations.llm.usage import estimate_tokens


def vector_of(text: str) -> list[float]:
    return [float(len(text)), 1.0, 0.5]


def embedding(make: Callable[[str], Any], **more: Any) -> Handler:
    async def step(request: Request) -> None:
        texts = request.json()["input"]
        rows = [{"index": i, "embedding": make(text)} for i, text in enumerate(texts)]
        rows.reverse()  # a server may answer in any order
        await request.answer_json({"data": rows, **more})

    return step


def answering(data: Any) -> Handler:
    async def step(request: Request) -> None:
        await request.answer_json({"data": data})

    return step


def packed(text: str) -> str:
    return base64.b64encode(array("f", vector_of(text)).tobytes()).decode()


async def embedded(
    texts: list[str], ledger: RememberingLedger, *steps: Handler, **overrides: Any
) -> tuple[list[list[float]], ScriptedServer]:
    async with serving(*steps) as server:
        plan = planned(server.url, embed_model="bge", **overrides)
        embedder = open_embedder(plan, ledger)
        assert embedder is not None
        assert embedder.name == "bge"
        try:
            return await embedder.embed(texts, TAG), server
        finally:
            await embedder.close()


@pytest.mark.parametrize("make", [vector_of, packed])
async def test_each_text_gets_its_vector(make: Callable[[str], Any]) -> None:
    ledger = RememberingLedger()
    step = embedding(make, usage={"prompt_tokens": 7})
    vectors, server = await embedded(["a", "bbb", "玫瑰"], ledger, step)

    assert vectors == [vector_of("a"), vector_of("bbb"), vector_of("玫瑰")]
    assert server.bodies == [
        {"model": "bge", "input": ["a", "bbb", "玫瑰"], "encoding_format": "float"}
    ]
    [row] = ledger.rows
    assert (row.model, row.usage, row.outcome) == (
        "bge",
        Usage(7, 0),
        CallOutcome.COMPLETED,
    )
    assert [tokens for _model, tokens in ledger.reserved.values()] == [1 + 1 + 2]


async def test_many_texts_are_asked_in_batches() -> None:
    ledger = RememberingLedger()
    texts = ["x" * (i % 7) for i in range(150)]
    vectors, server = await embedded(texts, ledger, embedding(vector_of))

    assert len(vectors) == 150
    assert [len(body["input"]) for body in server.bodies] == [64, 64, 22]
    assert vectors[1] == vector_of("x")
    assert "" not in server.bodies[0]["input"], "servers refuse an empty text"
    assert len(ledger.rows) == 3


async def test_no_text_calls_no_server() -> None:
    vectors, server = await embedded([], RememberingLedger(), failing(500))

    assert (vectors, server.requests) == ([], [])


@given(st.lists(st.sampled_from([0, 10, 900, 7_000, 80_000]), max_size=80))
def test_batches_lose_nothing_and_stay_small(lengths: list[int]) -> None:
    texts = ["x" * length for length in lengths]
    cut = list(batches(texts))

    assert [text for batch in cut for text in batch] == texts
    for batch in cut:
        tokens = sum(map(estimate_tokens, batch))
        assert len(batch) == 1 or tokens <= MAX_BATCH_TOKENS
        assert 1 <= len(batch) <= MAX_BATCH_TEXTS


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [math.inf]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [None]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": "AAA"}, {"index": 1, "embedding": "!!!!"}],
        [{"index": at, "embedding": [1.0]} for at in range(3)],
    ],
)
async def test_vectors_that_do_not_fit_are_refused(data: Any) -> None:
    ledger = RememberingLedger()
    with pytest.raises(ModelResponseMalformedError):
        await embedded(["a", "b"], ledger, answering(data))

    assert [row.error_code for row in ledger.rows] == ["malformed"]


async def test_batches_of_different_sizes_are_refused() -> None:
    small, large = embedding(lambda _text: [1.0]), embedding(lambda _text: [1.0, 2.0])
    with pytest.raises(ModelResponseMalformedError, match="different sizes"):
        await embedded(["a"] * 65, RememberingLedger(), small, large)


async def cutting(request: Request) -> None:
    await request.start(headers={"Content-Length": "100"})
    await request.write(b'{"data":')
    request.abort()


@pytest.mark.parametrize(
    ("step", "kind", "attempts"),
    [
        (failing(500), ModelUnavailableError, 3),
        (failing(401), ModelUnavailableError, 1),
        (cutting, ModelStreamCutError, 3),
        (silent_after(b"{"), ModelTimeoutError, 1),
    ],
)
async def test_a_fault_has_a_name(
    step: Handler, kind: type[AppError], attempts: int
) -> None:
    ledger = RememberingLedger()
    patience_s = 0.1 if kind is ModelTimeoutError else 30
    requests: list[Request] = []

    async def counted(request: Request) -> None:
        requests.append(request)
        await step(request)

    with pytest.raises(kind):
        await embedded(["a"], ledger, counted, first_token_timeout_s=patience_s)

    assert (len(requests), len(ledger.rows)) == (attempts, 1)


async def test_a_budget_that_forbids_the_call_reaches_no_server() -> None:
    ledger = RememberingLedger(limit_tokens=0)
    with pytest.raises(PaymentRequiredError):
        await embedded(["a"], ledger, failing(500))

    assert ledger.rows == []


async def test_without_its_library_the_local_embedder_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    embedder = open_local_embedder("tiny")
    with pytest.raises(ModelExtraMissingError, match="local-embed"):
        await embedder.embed(["a"], TAG)
    await embedder.close()


class TinyTransformer:
    """Stands in for the library, which is too large to install for tests."""

    loads: int = 0

    def __init__(self, name: str) -> None:
        if name != "tiny":
            raise OSError(name)
        TinyTransformer.loads += 1

    def encode(self, texts: list[str], **_options: Any) -> list[list[float]]:
        return [vector_of(text) for text in texts]


@pytest.fixture
def tiny_library(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(SentenceTransformer=TinyTransformer)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)


@pytest.mark.usefixtures("tiny_library")
async def test_the_local_embedder_loads_its_model_once() -> None:
    embedder = open_local_embedder("tiny")
    assert TinyTransformer.loads == 0
    for _ in range(2):
        assert await embedder.embed(["a", "bb"], TAG) == [
            vector_of("a"),
            vector_of("bb"),
        ]
    assert await embedder.embed([], TAG) == []
    assert (TinyTransformer.loads, embedder.name) == (1, "local:tiny")
    await embedder.close()


@pytest.mark.usefixtures("tiny_library")
async def test_a_local_model_that_cannot_be_loaded_is_named() -> None:
    embedder = open_local_embedder("missing")
    with pytest.raises(ModelUnavailableError, match="'missing'"):
        await embedder.embed(["a"], TAG)
    await embedder.close()


async def test_text_of_a_cancelled_caller_does_not_stop_the_opening_for_others() -> (
    None
):
    async with serving(embedding(vector_of)) as server:
        embedder = open_embedder(
            planned(server.url, embed_model="bge"), RememberingLedger()
        )
        assert embedder is not None
        first = asyncio.create_task(embedder.embed(["a"], TAG))
        second = asyncio.create_task(embedder.embed(["bb"], TAG))
        await asyncio.sleep(0)
        first.cancel()
        found = await second
        await embedder.close()

    assert first.cancelled()
    assert found == [vector_of("bb")]
