"""An answer is read up to a size, and no further."""

import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest
from typing_extensions import override

from dossier.integrations.capped import AnswerTooLongError, send_capped

LIMIT_BYTES = 1000


class Endless(httpx2.AsyncByteStream):
    """Goes on as long as it is read."""

    def __init__(self) -> None:
        self.sent_bytes = 0

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent_bytes < 100 * LIMIT_BYTES:
            self.sent_bytes += 100
            yield b"x" * 100


async def sent(response: httpx2.Response) -> httpx2.Response:
    transport = httpx2.MockTransport(lambda _request: response)
    async with httpx2.AsyncClient(transport=transport) as http:
        request = http.build_request("GET", "http://far.test/")
        return await send_capped(http, request, LIMIT_BYTES)


async def test_an_endless_answer_is_left_in_the_middle() -> None:
    endless = Endless()

    with pytest.raises(AnswerTooLongError, match="1000 bytes"):
        await sent(httpx2.Response(200, stream=endless))

    assert endless.sent_bytes <= LIMIT_BYTES + 100


async def test_what_is_packed_counts_as_what_it_unpacks_to() -> None:
    packed = gzip.compress(b" " * 100 * LIMIT_BYTES)

    with pytest.raises(AnswerTooLongError):
        await sent(
            httpx2.Response(200, headers={"content-encoding": "gzip"}, content=packed)
        )


async def test_an_answer_of_the_right_size_is_whole() -> None:
    packed = gzip.compress(b'{"a": 1}')

    answer = await sent(
        httpx2.Response(
            418,
            headers={"content-encoding": "gzip", "retry-after": "3"},
            content=packed,
        )
    )

    assert answer.json() == {"a": 1}
    assert (answer.status_code, answer.headers["retry-after"]) == (418, "3")
