"""Downloads: ranges, digests, names."""

import hashlib
from collections.abc import AsyncIterator
from urllib.parse import unquote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dossier.core.downloads import (
    Content,
    RangeNotSatisfiableError,
    content_disposition,
    download,
    parse_range,
)

BODY = b"0123456789abcdef"


async def _read(start: int, end: int) -> AsyncIterator[bytes]:
    for position in range(start, end, 5):
        yield BODY[position : min(position + 5, end)]


async def _endpoint(request: Request) -> Response:
    content = Content(
        read=_read,
        size_bytes=len(BODY),
        sha256=hashlib.sha256(BODY).hexdigest(),
        filename="玫瑰霜.pdf",
        media_type="application/pdf",
    )
    return download(request, content)


async def _get(**headers: str) -> httpx2.Response:
    app = Starlette(routes=[Route("/", _endpoint)])
    transport = httpx2.ASGITransport(app=app)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
        return await client.get("/", headers=named)


async def test_whole_content_carries_digest_name_and_length() -> None:
    answer = await _get()

    assert answer.status_code == 200
    assert answer.content == BODY
    assert answer.headers["content-length"] == "16"
    assert answer.headers["content-digest"] == answer.headers["repr-digest"]
    assert answer.headers["content-digest"].startswith("sha-256=:")
    assert "filename*=UTF-8''%E7%8E%AB" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("asked", "body", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/16"),
        ("bytes=10-", b"abcdef", "bytes 10-15/16"),
        ("bytes=-2", b"ef", "bytes 14-15/16"),
        ("bytes=14-99", b"ef", "bytes 14-15/16"),
        ("bytes=-99", BODY, "bytes 0-15/16"),
    ],
)
async def test_one_range_is_answered_by_that_part(
    asked: str, body: bytes, content_range: str
) -> None:
    answer = await _get(range=asked)

    assert answer.status_code == 206
    assert answer.content == body
    assert answer.headers["content-range"] == content_range
    assert "content-digest" not in answer.headers
    assert "repr-digest" in answer.headers


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,4-5", "items=0-3", "bytes=5-2", "bytes=-", "bytes=a-b", ""]
)
async def test_a_range_that_must_be_ignored_gives_the_whole(asked: str) -> None:
    answer = await _get(range=asked)

    assert (answer.status_code, answer.content) == (200, BODY)


@pytest.mark.parametrize("asked", ["bytes=16-", "bytes=99-100", "bytes=-0"])
async def test_a_range_outside_the_content_is_refused(asked: str) -> None:
    answer = await _get(range=asked)

    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */16"
    assert answer.json()["type"] == "/problems/range-not-satisfiable"


async def test_a_known_version_is_not_sent_again() -> None:
    etag = (await _get()).headers["etag"]

    answer = await _get(if_none_match=f'"other", W/{etag}')

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


async def test_a_range_of_another_version_gives_the_whole() -> None:
    answer = await _get(range="bytes=0-3", if_range='"older"')

    assert (answer.status_code, answer.content) == (200, BODY)


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_name_survives_and_none_breaks_the_header(name: str) -> None:
    header = content_disposition(name)

    assert header.isascii()
    assert header.isprintable()
    assert unquote(header.split("filename*=UTF-8''")[1]) == name
    assert header.count('"') == 2


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 50))
def test_a_range_never_leaves_the_content(first: int, last: int, size: int) -> None:
    try:
        part = parse_range(f"bytes={first}-{last}", size)
    except RangeNotSatisfiableError:
        assert first >= size
        return

    if part is None:
        assert last < first
    else:
        start, end = part
        assert 0 <= start < end <= size
