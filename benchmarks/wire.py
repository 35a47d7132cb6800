"""Requests and answers as they go over the wire; one at a time."""

import asyncio
import re
from collections.abc import Mapping

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def request(
    method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """Return one request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(port: int, content: bytes) -> tuple[int, bytes]:
    """Send one request and return its status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(body_length(head))
    finally:
        writer.close()
    return int(head[9:12]), body


def body_length(head: bytes) -> int:
    """Return how many bytes follow a head."""
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0
