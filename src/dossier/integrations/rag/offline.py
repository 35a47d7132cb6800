"""Offline twin of the central service: the same wire format, held in memory."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx2

_OK, _CREATED = 200, 201


@dataclass(slots=True)
class OfflineCentral:
    """Answers as the service does; keeps bases by tenant, ranks by shared words."""

    key: str = "offline-key"
    failures: list[httpx2.Response] = field(default_factory=list)
    """Returned instead of the next answers, one each."""
    calls: list[httpx2.Request] = field(default_factory=list)
    _bases: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    _documents: dict[str, dict[str, dict[str, str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def transport(self) -> httpx2.MockTransport:
        """Return the transport for a client, in place of the network."""
        return httpx2.MockTransport(self._handle)

    def bases(self, tenant: str) -> dict[str, str]:
        """Return a tenant's bases: our id and the service's."""
        return dict(self._bases[tenant])

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(request)
        if self.failures:
            return self.failures.pop(0)
        if request.headers.get("x-rag-api-key") != self.key:
            return httpx2.Response(401, json={"status": "error"})
        return self._route(request)

    def _route(self, request: httpx2.Request) -> httpx2.Response:
        tenant = request.headers["x-tenant-id"]
        body = json.loads(request.content or b"{}")
        match request.url.path.strip("/").split("/"):
            case [*_, "knowledge-bases"]:
                return self._create(tenant, body)
            case [*_, "knowledge-bases", base_id, "documents"]:
                return self._push(tenant, base_id, body)
            case [*_, "knowledge-bases", base_id, "documents", document_id]:
                return self._remove(tenant, base_id, document_id)
            case [*_, "query"]:
                return self._query(tenant, body)
        return httpx2.Response(404, json={"status": "error"})

    def _create(self, tenant: str, body: dict[str, Any]) -> httpx2.Response:
        bases = self._bases[tenant]
        number = sum(len(each) for each in self._bases.values()) + 1
        base_id = bases.setdefault(body["external_id"], f"kb_{number}")
        return _success(_CREATED, {"id": base_id})

    def _push(self, tenant: str, base_id: str, body: dict[str, Any]) -> httpx2.Response:
        if base_id not in self._bases[tenant].values():
            return httpx2.Response(404, json={"status": "error"})
        self._documents[base_id][body["external_id"]] = body
        return _success(_CREATED, {"id": body["external_id"]})

    def _remove(self, tenant: str, base_id: str, document_id: str) -> httpx2.Response:
        is_own = base_id in self._bases[tenant].values()
        if not is_own or self._documents[base_id].pop(document_id, None) is None:
            return httpx2.Response(404, json={"status": "error"})
        return _success(_OK, {})

    def _query(self, tenant: str, body: dict[str, Any]) -> httpx2.Response:
        own = set(self._bases[tenant].values())
        words = set(body["query"].lower().split())
        results = [
            {
                "id": document["external_id"],
                "title": document["title"],
                "text": document["text"],
                "score": len(words & set(document["text"].lower().split()))
                / len(words),
            }
            for base_id in body["knowledge_base_ids"]
            if base_id in own
            for document in self._documents[base_id].values()
        ]
        found = [each for each in results if each["score"]]
        return _success(_OK, {"results": found[: body["top_k"]]})


def _success(status: int, data: dict[str, Any]) -> httpx2.Response:
    return httpx2.Response(status, json={"status": "success", "data": data})
