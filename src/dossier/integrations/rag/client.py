"""HTTP client of a central retrieval service: bases, documents, queries.

    POST /knowledge-bases                  {name, external_id} -> {id}
    POST /knowledge-bases/{id}/documents   {external_id, title, text} -> {}
    DELETE /knowledge-bases/{id}/documents/{external_id}          -> {}
    POST /query   {knowledge_base_ids, query, top_k} -> {results: [{id, title, text,
                                                         score}]}

Every call carries the key and the tenant in two headers; every answer is
`{"status": "success", "data": {…}}`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from dossier.integrations.capped import AnswerTooLongError, send_capped
from dossier.integrations.rag.exceptions import (
    CentralMalformedError,
    CentralRefusedError,
    CentralUnavailableError,
)
from dossier.integrations.rag.models import (
    Accepted,
    CreatedBase,
    Envelope,
    QueryResult,
    RemoteDocument,
    RemotePassage,
)

RAG_TIMEOUT_S = 10.0
MAX_RAG_ANSWER_BYTES = 4 * 1024 * 1024
MAX_QUERY_CHARACTERS = 4000
_MAX_RETRY_AFTER_S = 86_400
_RETRYABLE = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})

T = TypeVar("T", bound=BaseModel)


class RagClient:
    """One per process; `close` it at the end."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._headers = {"X-RAG-API-Key": key} if key else {}
        self._http = httpx2.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=RAG_TIMEOUT_S,
            transport=transport,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def create_base(self, tenant: str, name: str, external_id: str) -> str:
        """Create a knowledge base and return its id there."""
        body = {"name": name, "external_id": external_id}
        created = await self._post(
            tenant, "/knowledge-bases", body, CreatedBase, key=external_id
        )
        return created.id

    async def push_document(
        self, tenant: str, base_id: str, document: RemoteDocument
    ) -> None:
        """Store a document, in place of an earlier one of the same id."""
        body = {
            "external_id": document.external_id,
            "title": document.title,
            "text": document.text,
        }
        path = f"/knowledge-bases/{base_id}/documents"
        await self._post(tenant, path, body, Accepted)

    async def remove_document(
        self, tenant: str, base_id: str, external_id: str
    ) -> None:
        """Remove a document; one that is not there counts as removed."""
        path = f"/knowledge-bases/{base_id}/documents/{external_id}"
        response = await self._send(tenant, "DELETE", path)
        if response.status_code not in _GONE:
            _raise_for_status(response)

    async def query(
        self, tenant: str, base_ids: Sequence[str], text: str, limit: int
    ) -> list[RemotePassage]:
        """Return the best passages of some bases, the best first."""
        body = {
            "knowledge_base_ids": list(base_ids),
            "query": text[:MAX_QUERY_CHARACTERS],
            "top_k": limit,
        }
        found = await self._post(tenant, "/query", body, QueryResult)
        passages = [
            RemotePassage(each.title, each.text, each.score, each.id)
            for each in found.results
        ]
        return sorted(passages, key=lambda each: -each.score)[:limit]

    async def _post(
        self,
        tenant: str,
        path: str,
        body: dict[str, Any],
        shape: type[T],
        key: str | None = None,
    ) -> T:
        more = {} if key is None else {"Idempotency-Key": key}
        response = await self._send(tenant, "POST", path, body, more)
        _raise_for_status(response)
        try:
            envelope = Envelope.model_validate_json(response.content)
            return shape.model_validate(envelope.data)
        except ValidationError as exc:
            fault = exc.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, fault["loc"])) or "body"
            detail = f"`{where}`: {fault['msg']}"
            raise CentralMalformedError(detail) from exc

    async def _send(
        self,
        tenant: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        headers = self._headers | {"X-Tenant-ID": tenant, **(more or {})}
        request = self._http.build_request(method, path, json=body, headers=headers)
        try:
            return await send_capped(self._http, request, MAX_RAG_ANSWER_BYTES)
        except httpx2.HTTPError as exc:
            raise CentralUnavailableError(type(exc).__name__) from exc
        except AnswerTooLongError as exc:
            detail = f"It answered with {exc}."
            raise CentralMalformedError(detail) from exc


def _raise_for_status(response: httpx2.Response) -> None:
    status = response.status_code
    detail = f"It answered {status}."
    if status in _RETRYABLE or response.is_server_error:
        header = response.headers.get("retry-after", "")
        retry_after_s = (
            int(min(float(header), _MAX_RETRY_AFTER_S)) if header.isdecimal() else None
        )
        raise CentralUnavailableError(detail, retry_after_s=retry_after_s)
    if not response.is_success:
        raise CentralRefusedError(detail)
