"""The client of a reranker, against a transport that plays one."""

from collections.abc import Callable
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import SecretStr

from dossier.core.settings import KnowledgeSettings
from dossier.integrations.rerank.client import Ranked, RerankClient, open_reranker
from dossier.integrations.rerank.exceptions import RerankFailedError

Answer = Callable[[httpx2.Request], httpx2.Response]


def client_of(answer: Answer, model: str | None = "best") -> RerankClient:
    transport = httpx2.MockTransport(answer)
    return RerankClient("http://rank.test/v1/", model, "k", transport=transport)


def telling(body: Any, status: int = 200) -> Answer:
    return lambda _request: httpx2.Response(status, json=body)


async def test_documents_are_sent_in_the_usual_shape() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        results = [
            {"index": 0, "relevance_score": 0.1},
            {"index": 1, "relevance_score": 0.9},
        ]
        return httpx2.Response(200, json={"results": results})

    client = client_of(answer)
    ranked = await client.rerank("q", ["a", "b"], 2)
    await client.close()

    assert ranked == [Ranked(1, 0.9), Ranked(0, 0.1)]
    assert str(seen[0].url) == "http://rank.test/v1/rerank"
    assert seen[0].headers["authorization"] == "Bearer k"
    assert orjson.loads(seen[0].content) == {
        "model": "best",
        "query": "q",
        "documents": ["a", "b"],
        "top_n": 2,
    }


@pytest.mark.parametrize(
    "answer",
    [
        telling({"error": "busy"}, 503),
        telling([]),
        telling({"results": [{"index": 5, "relevance_score": 1}]}),
        telling({"results": [{"index": 0, "relevance_score": 1}] * 2}),
        telling({"results": [{"index": 0, "relevance_score": "nan"}]}),
        telling({"results": [{"index": 0}]}),
        lambda _request: httpx2.Response(200, content=b"<html>"),
    ],
)
async def test_malformed_ranking_is_a_failure(answer: Answer) -> None:
    client = client_of(answer, model=None)

    with pytest.raises(RerankFailedError):
        await client.rerank("q", ["a", "b"], 2)

    await client.close()


async def test_reranker_is_opened_only_where_settings_name_one() -> None:
    named = KnowledgeSettings(
        rerank_url="http://rank.test/rerank", rerank_api_key=SecretStr("k")
    )

    client = open_reranker(named)

    assert open_reranker(KnowledgeSettings()) is None
    assert client is not None
    await client.close()
