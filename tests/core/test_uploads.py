from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from dossier.core.uploads import MultipartUpload, UploadMalformedError

BOUNDARY = "b0undary"


def request_of(chunks: Sequence[bytes]) -> Request:
    left = list(chunks)

    async def receive() -> Message:
        body = left.pop(0) if left else b""
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    content_type = f"multipart/form-data; boundary={BOUNDARY}".encode()
    headers = [(b"content-type", content_type)]
    return Request({"type": "http", "headers": headers}, receive)


def body_of(content: bytes, *, name_first: bool) -> bytes:
    mark = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
    file = mark + b'name="file"; filename="a.pdf"\r\n\r\n' + content + b"\r\n"
    name = mark + b'name="filename"\r\n\r\nbetter.pdf\r\n'
    parts = name + file if name_first else file + name
    return parts + f"--{BOUNDARY}--\r\n".encode()


def cut(body: bytes, lengths: list[int]) -> list[bytes]:
    chunks = []
    for length in lengths:
        chunks.append(body[:length])
        body = body[length:]
    return [chunk for chunk in [*chunks, body] if chunk]


@given(
    content=st.binary(max_size=300),
    lengths=st.lists(st.integers(1, 60), max_size=20),
    name_first=st.booleans(),
)
async def test_the_file_comes_out_however_the_body_is_cut(
    content: bytes, lengths: list[int], *, name_first: bool
) -> None:
    body = body_of(content, name_first=name_first)
    upload = MultipartUpload(request_of(cut(body, lengths)), 1024)

    received = b"".join([piece async for piece in upload.pieces()])

    if BOUNDARY.encode() not in content:
        assert received == content
        assert upload.filename == "better.pdf"


@given(st.binary(max_size=400))
async def test_any_other_body_is_refused_with_a_name(body: bytes) -> None:
    upload = MultipartUpload(request_of([body]), 1024)

    with pytest.raises(UploadMalformedError):
        [piece async for piece in upload.pieces()]


async def test_a_flood_of_parts_is_refused() -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    upload = MultipartUpload(request_of([part.encode() * 40]), 1024)

    with pytest.raises(UploadMalformedError):
        [piece async for piece in upload.pieces()]
