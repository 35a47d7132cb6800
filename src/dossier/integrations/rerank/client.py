"""`POST {url}/rerank {model, query, documents, top_n}`, as Jina, Cohere and vLLM do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from dossier.core.settings import KnowledgeSettings
from dossier.integrations.capped import send_capped
from dossier.integrations.rerank.exceptions import RerankFailedError

RERANK_REQUEST_TIMEOUT_S: Final = 5.0
MAX_RERANK_ANSWER_BYTES: Final = 1024 * 1024
_PATH: Final = "/rerank"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document's index in the request, and its score; the higher, the better."""

    index: int
    score: float


class RerankClient:
    """Client of one server; keeps its connections until it is closed."""

    def __init__(
        self,
        url: str,
        model: str | None,
        api_key: str | None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        timeout_s: float = RERANK_REQUEST_TIMEOUT_S,
    ) -> None:
        self._url = url.rstrip("/").removesuffix(_PATH) + _PATH
        self._model = model
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx2.AsyncClient(
            headers=headers, timeout=timeout_s, transport=transport
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def rerank(
        self, query: str, documents: Sequence[str], top_n: int
    ) -> list[Ranked]:
        """Return the best documents, the best first; raise `RerankFailedError`."""
        body: dict[str, Any] = {
            "query": query,
            "documents": list(documents),
            "top_n": top_n,
        }
        if self._model is not None:
            body["model"] = self._model
        try:
            request = self._http.build_request("POST", self._url, json=body)
            response = await send_capped(self._http, request, MAX_RERANK_ANSWER_BYTES)
            response.raise_for_status()
            return _ranked(response.json(), len(documents))
        except httpx2.HTTPError as exc:
            raise RerankFailedError(type(exc).__name__) from exc
        except (ValueError, KeyError, TypeError) as exc:
            message = "the answer is not a ranking"
            raise RerankFailedError(message) from exc


def _ranked(body: Any, count: int) -> list[Ranked]:
    found = [
        Ranked(int(each["index"]), float(each["relevance_score"]))
        for each in body["results"]
    ]
    places = {each.index for each in found}
    if len(places) < len(found) or not places <= set(range(count)):
        message = "an index twice, or of no document that was sent"
        raise ValueError(message)
    if not all(math.isfinite(each.score) for each in found):
        message = "a score is not a finite number"
        raise ValueError(message)
    return sorted(found, key=lambda each: (-each.score, each.index))


def open_reranker(knowledge: KnowledgeSettings) -> RerankClient | None:
    """Return the reranker that settings name, or `None`; the caller closes it."""
    if knowledge.rerank_url is None:
        return None
    secret = knowledge.rerank_api_key
    key = secret.get_secret_value() if secret else None
    return RerankClient(knowledge.rerank_url, knowledge.rerank_model, key)
