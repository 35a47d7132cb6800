"""The client of the central retrieval service, against its offline twin."""

import httpx2
import pytest

from dossier.core.errors import AppError
from dossier.integrations.rag.client import (
    MAX_RAG_ANSWER_BYTES,
    RagClient,
)
from dossier.integrations.rag.exceptions import (
    CentralMalformedError,
    CentralRefusedError,
    CentralUnavailableError,
)
from dossier.integrations.rag.models import RemoteDocument
from dossier.integrations.rag.offline import OfflineCentral

URL = "https://central.example/api/v1"


DOCUMENT = RemoteDocument("d-1", "SDS", "Keep PreservaSet below 25 degrees")


def client_of(twin: OfflineCentral, key: str | None = "offline-key") -> RagClient:
    return RagClient(URL, key, transport=twin.transport())


async def test_a_base_is_created_filled_and_searched() -> None:
    twin = OfflineCentral()
    client = client_of(twin)

    base = await client.create_base("org-a", "product 1", "p-1")
    again = await client.create_base("org-a", "product 1", "p-1")
    await client.push_document("org-a", base, DOCUMENT)
    [hit] = await client.query("org-a", [base], "keep preservaset", 5)
    await client.close()

    assert base == again == "kb_1"
    assert (hit.title, hit.reference, hit.score) == ("SDS", "d-1", 1.0)
    assert hit.text == "Keep PreservaSet below 25 degrees"


async def test_every_call_carries_key_and_tenant() -> None:
    twin = OfflineCentral()
    client = client_of(twin)

    await client.create_base("org-a", "product 1", "p-1")
    await client.query("org-a", ["kb_1"], "words", 5)

    assert {call.headers["x-rag-api-key"] for call in twin.calls} == {"offline-key"}
    assert {call.headers["x-tenant-id"] for call in twin.calls} == {"org-a"}
    assert twin.calls[0].headers["idempotency-key"] == "p-1"
    assert str(twin.calls[0].url) == f"{URL}/knowledge-bases"


async def test_another_tenants_base_returns_nothing() -> None:
    client = client_of(OfflineCentral())
    base = await client.create_base("org-a", "product 1", "p-1")
    await client.push_document("org-a", base, DOCUMENT)

    assert await client.query("org-b", [base], "keep preservaset", 5) == []


async def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(CentralRefusedError, match="401"):
        await client_of(OfflineCentral(), None).create_base("org-a", "x", "p-1")


def success(data: object) -> httpx2.Response:
    return httpx2.Response(200, json={"status": "success", "data": data})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(503, headers={"retry-after": "7"}), CentralUnavailableError),
        (httpx2.Response(429), CentralUnavailableError),
        (httpx2.Response(302, headers={"location": "/"}), CentralRefusedError),
        (httpx2.Response(422), CentralRefusedError),
        (httpx2.Response(200, text="<html>"), CentralMalformedError),
        (httpx2.Response(200, json={"status": "error"}), CentralMalformedError),
        (success([]), CentralMalformedError),
        (success({}), CentralMalformedError),
        (success({"id": "../../admin"}), CentralMalformedError),
        (success({"id": ""}), CentralMalformedError),
        (
            httpx2.Response(200, content=b" " * (MAX_RAG_ANSWER_BYTES + 1)),
            CentralMalformedError,
        ),
    ],
)
async def test_each_failure_has_its_error(
    answer: httpx2.Response, error: type[AppError]
) -> None:
    twin = OfflineCentral(failures=[answer])

    with pytest.raises(error) as raised:
        await client_of(twin).create_base("org-a", "x", "p-1")

    retry_after = answer.headers.get("retry-after")
    assert raised.value.retry_after_s == (retry_after and int(retry_after))


@pytest.mark.parametrize("header", ["99999999999999999999", "3000000000", "9" * 5_000])
async def test_retry_after_is_a_day_at_most(header: str) -> None:
    answer = httpx2.Response(429, headers={"retry-after": header})

    with pytest.raises(CentralUnavailableError) as raised:
        await client_of(OfflineCentral(failures=[answer])).query("o", ["kb_1"], "x", 5)

    assert raised.value.retry_after_s == 86_400


async def test_connection_failure_is_unavailable() -> None:
    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectTimeout("slow", request=request)  # noqa: EM101 - the library's own

    client = RagClient(URL, "key", transport=httpx2.MockTransport(away))

    with pytest.raises(CentralUnavailableError, match="ConnectTimeout"):
        await client.query("org-a", ["kb_1"], "words", 5)


async def test_passages_come_the_best_first_and_no_more_than_wanted() -> None:
    results = [{"text": str(score), "score": score} for score in (0.2, 0.9, 0.5)]
    twin = OfflineCentral(failures=[success({"results": results})])

    found = await client_of(twin).query("org-a", ["kb_1"], "words", 2)

    assert [each.score for each in found] == [0.9, 0.5]
    assert found[0].reference is None
