"""Five sources over real HTTP: what they find, and what is refused by name."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.responses import (
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from dossier.core.errors import AppError
from dossier.integrations.literature.client import (
    PAUSES_S,
    THROTTLED_PAUSE_S,
    LiteratureClient,
)
from dossier.integrations.literature.exceptions import (
    SourceMalformedError,
    SourceRefusedError,
    SourceUnavailableError,
)
from dossier.integrations.literature.sources import SOURCES, Credentials, rank_of
from dossier.integrations.literature.types import SourceHit, SourceRank
from dossier.testing.source_server import SourceTwin


@pytest.fixture
async def client(twin: SourceTwin) -> AsyncIterator[LiteratureClient]:
    opened = LiteratureClient(Credentials(), twin.base_urls, timeout_s=2)
    yield opened
    await opened.close()


async def at_once(_name: str, _interval_s: float) -> None:
    """Wait for nothing."""


async def search(client: LiteratureClient, source: str) -> list[SourceHit]:
    hits, _ = await client.search(SOURCES[source], "niacinamide", 5, at_once)
    return hits


@pytest.mark.parametrize(
    ("source", "identifier", "rank"),
    [
        ("arxiv", "2601.00001v1", SourceRank.PREPRINT),
        ("pubmed", "90000001", SourceRank.REVIEW),
        ("wikipedia", "Niacinamide", SourceRank.WEB),
        ("pubchem", "936", SourceRank.REVIEW),
        ("tavily", "https://health.ec.europa.eu/invented", SourceRank.REGULATOR),
    ],
)
async def test_each_source_is_read(
    client: LiteratureClient, source: str, identifier: str, rank: SourceRank
) -> None:
    [hit] = await search(client, source)

    assert (hit.source, hit.identifier, hit.rank) == (source, identifier, rank)
    assert hit.title
    assert hit.text


@pytest.mark.parametrize("source", SOURCES)
async def test_nothing_found_is_an_empty_answer(
    client: LiteratureClient, twin: SourceTwin, source: str
) -> None:
    twin.is_empty = True

    assert await search(client, source) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("instead", "error", "words"),
    [
        (
            Response("<html><p>Sign in</html>", media_type="text/html"),
            SourceMalformedError,
            "answered with something",
        ),
        (Response(b"\xff\xfe\x00garbage"), SourceMalformedError, "answered with"),
        (Response(b"[" * 100_000), SourceMalformedError, "answered with something"),
        (Response(b"x" * 5_000_000), SourceMalformedError, "more than"),
        (RedirectResponse("http://127.0.0.1:1/"), SourceRefusedError, "elsewhere"),
        (Response(status_code=401), SourceRefusedError, "401"),
        (Response(status_code=500), SourceUnavailableError, "500"),
        (
            Response(status_code=429, headers={"retry-after": "7"}),
            SourceUnavailableError,
            "429",
        ),
    ],
    ids=["html", "garbage", "nested", "large", "redirect", "401", "500", "429"],
)
async def test_other_answers_are_refused_by_the_name_of_the_source(
    client: LiteratureClient,
    twin: SourceTwin,
    source: str,
    instead: Response,
    error: type[AppError],
    words: str,
) -> None:
    twin.instead[source] = instead

    with pytest.raises(error) as raised:
        await search(client, source)

    assert words in (raised.value.detail or "")
    assert source in (raised.value.detail or "").casefold()
    if instead.status_code == 429:
        assert raised.value.retry_after_s == 7


@pytest.mark.parametrize("source", ["wikipedia", "pubchem", "tavily", "pubmed"])
async def test_json_without_the_agreed_list_is_not_taken_for_nothing_found(
    client: LiteratureClient, twin: SourceTwin, source: str
) -> None:
    twin.instead[source] = JSONResponse({"Waiting": {"ListKey": "1"}})

    with pytest.raises(SourceMalformedError, match="without"):
        await search(client, source)


@pytest.mark.parametrize("source", SOURCES)
async def test_404_without_the_code_of_the_source_is_not_taken_for_nothing_found(
    client: LiteratureClient, twin: SourceTwin, source: str
) -> None:
    twin.instead[source] = Response("<html>Not Found</html>", status_code=404)

    with pytest.raises(SourceRefusedError, match="404"):
        await search(client, source)


@pytest.mark.parametrize("source", ["arxiv", "efetch.fcgi"])
@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0" encoding="nonsense-8"?><feed/>',
        b'<?xml version="1.0" encoding="utf-8"?><feed>\xe9</feed>',
        b'<html xmlns="http://www.w3.org/1999/xhtml"><p>Sign in</p></html>',
    ],
    ids=["unknown-encoding", "wrong-encoding", "xhtml"],
)
async def test_xml_in_another_encoding_or_of_another_kind_is_malformed(
    client: LiteratureClient, twin: SourceTwin, source: str, body: bytes
) -> None:
    twin.instead[source] = Response(body, media_type="text/xml")

    with pytest.raises(SourceMalformedError):
        await search(client, "arxiv" if source == "arxiv" else "pubmed")


async def test_text_that_no_column_can_hold_is_replaced(
    client: LiteratureClient, twin: SourceTwin
) -> None:
    found = '{"pages": [{"key": "A\\ud800", "title": "a\\ud800\\u0000b"}]}'
    twin.instead["wikipedia"] = Response(found)

    [hit] = await search(client, "wikipedia")

    assert hit.title == "a\ufffdb"
    assert hit.url.encode()


@pytest.mark.parametrize(
    ("status", "header", "pauses_s"),
    [(429, "7", [7, 7]), (429, None, [1, 2]), (503, "0", [1, 2]), (429, "21", [])],
)
async def test_busy_source_is_asked_again_after_the_pause_that_it_asks_for(
    client: LiteratureClient,
    twin: SourceTwin,
    status: int,
    header: str | None,
    pauses_s: list[float],
) -> None:
    headers = {} if header is None else {"retry-after": header}
    twin.instead["arxiv"] = Response(status_code=status, headers=headers)
    turns_s: list[float] = []

    async def record(_name: str, interval_s: float) -> None:
        turns_s.append(interval_s)

    with pytest.raises(SourceUnavailableError):
        await client.search(SOURCES["arxiv"], "niacinamide", 5, record)

    every_s = SOURCES["arxiv"].interval_s
    assert turns_s == [every_s, *(t for pause in pauses_s for t in (pause, every_s))]
    assert twin.calls["arxiv"] == len(pauses_s) + 1


async def test_busy_source_that_answers_the_second_time_is_read(
    client: LiteratureClient, twin: SourceTwin
) -> None:
    twin.instead["arxiv"] = Response(status_code=429)

    async def recover(_name: str, interval_s: float) -> None:
        if interval_s == PAUSES_S[0]:
            twin.instead.clear()

    hits, _ = await client.search(SOURCES["arxiv"], "niacinamide", 5, recover)

    assert len(hits) == 1
    assert twin.calls["arxiv"] == 2


@pytest.mark.parametrize("header", ["9" * 5000, "-1", "nan", "soon"])
async def test_retry_after_that_says_nothing_is_no_other_error(
    client: LiteratureClient, twin: SourceTwin, header: str
) -> None:
    twin.instead["arxiv"] = Response(status_code=429, headers={"retry-after": header})

    with pytest.raises(SourceUnavailableError, match="429"):
        await search(client, "arxiv")


async def test_pubchem_near_its_limit_gets_a_pause(
    client: LiteratureClient, twin: SourceTwin
) -> None:
    said = "Request Count status: Green (10%), Service status: Red (80%)"
    twin.instead["pubchem"] = JSONResponse(
        {"PropertyTable": {"Properties": []}}, headers={"x-throttling-control": said}
    )
    turns_s: list[float] = []

    async def record(_name: str, interval_s: float) -> None:
        turns_s.append(interval_s)

    await client.search(SOURCES["pubchem"], "niacinamide", 5, record)

    assert turns_s == [SOURCES["pubchem"].interval_s, THROTTLED_PAUSE_S]


async def test_both_requests_to_pubmed_name_tool_address_and_key(
    twin: SourceTwin,
) -> None:
    credentials = Credentials(contact="a@example.com", pubmed_key="key-1")
    client = LiteratureClient(credentials, twin.base_urls)
    _, answer = await client.search(SOURCES["pubmed"], "niacinamide", 5, at_once)
    await client.close()

    named = {"tool": "dossier", "email": "a@example.com", "api_key": "key-1"}
    sent = [dict(each.query_params) for each in twin.asked]
    assert len(sent) == 2
    assert all(named.items() <= each.items() for each in sent)
    assert "key-1" not in answer.url


async def test_answer_that_trickles_ends_at_the_time_out(twin: SourceTwin) -> None:
    stopped = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b" "
                await asyncio.sleep(0.05)
        finally:
            stopped.set()

    twin.instead["arxiv"] = StreamingResponse(trickle())
    client = LiteratureClient(Credentials(), twin.base_urls, timeout_s=0.3)
    async with asyncio.timeout(10):
        with pytest.raises(SourceUnavailableError, match="TimeoutError"):
            await search(client, "arxiv")
        await client.close()
        await stopped.wait()


async def test_source_that_is_away_is_unavailable() -> None:
    client = LiteratureClient(Credentials(), {"arxiv": "http://127.0.0.1:1"})

    with pytest.raises(SourceUnavailableError, match="arxiv"):
        await search(client, "arxiv")

    await client.close()


async def test_entity_in_xml_is_refused(
    client: LiteratureClient, twin: SourceTwin
) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'
    twin.instead["arxiv"] = Response(bomb, media_type="application/xml")

    with pytest.raises(SourceMalformedError):
        await search(client, "arxiv")


@pytest.mark.parametrize(
    ("title", "url", "rank"),
    [
        ("Opinion", "https://health.ec.europa.eu/x", SourceRank.REGULATOR),
        ("Opinion", "https://health.ec.europa.eu.evil.example/x", SourceRank.WEB),
        ("OECD Test No. 428 study", "https://example.com", SourceRank.GUIDELINE_STUDY),
        ("A paper", "https://pmc.ncbi.nlm.nih.gov/articles/1/", SourceRank.WEB),
        ("A review of creams", "https://example.com", SourceRank.REVIEW),
        ("My blog", "https://example.com", SourceRank.WEB),
    ],
)
def test_rank_follows_publisher_and_kind(
    title: str, url: str, rank: SourceRank
) -> None:
    assert rank_of(title, "", SourceRank.WEB, url) is rank
