"""Answers of other servers, read up to a size: none may fill the memory."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class AnswerTooLongError(ValueError):
    """An answer goes on beyond what is read of it."""


async def send_capped(
    http: "httpx2.AsyncClient", request: "httpx2.Request", limit_bytes: int
) -> "httpx2.Response":
    """Return the whole answer, unpacked, or raise `AnswerTooLongError`."""
    import httpx2  # noqa: PLC0415 - the HTTP client is imported where one is set

    response = await http.send(request, stream=True)
    try:
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > limit_bytes:
                message = f"more than {limit_bytes} bytes"
                raise AnswerTooLongError(message)
    finally:
        await response.aclose()
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name.lower() not in _OF_THE_WIRE
    ]
    return httpx2.Response(
        response.status_code, headers=headers, content=bytes(content), request=request
    )
