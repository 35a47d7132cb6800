"""Five sources over real HTTP: what they find, and what is refused by name."""

from collections.abc import AsyncIterator

import pytest
from starlette.responses import RedirectResponse, Response

from dossier.core.errors import AppError
from dossier.integrations.literature.client import LiteratureClient
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
        ("A review of creams", "https://example.com", SourceRank.REVIEW),
        ("My blog", "https://example.com", SourceRank.WEB),
    ],
)
def test_rank_follows_publisher_and_kind(
    title: str, url: str, rank: SourceRank
) -> None:
    assert rank_of(title, "", SourceRank.WEB, url) is rank
