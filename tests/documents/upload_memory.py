"""Stores a large upload and prints by how much the process grew, in MiB."""

import asyncio
import resource
import sys
from pathlib import Path

from starlette.requests import Request
from starlette.types import Message

from dossier.core.models import new_id
from dossier.core.uploads import MultipartUpload
from dossier.documents.blobs import store_upload
from dossier.integrations.storage.client import ObjectStore

PIECE_BYTES = 64 * 1024
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def resident_mib() -> float:
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_kib / 1024


def request_of(size_bytes: int) -> Request:
    pieces = iter(
        [HEAD, *[PIECE_BYTES] * (size_bytes // PIECE_BYTES), b"\r\n--b--\r\n"]
    )

    async def receive() -> Message:
        piece = next(pieces, b"")
        body = bytes(piece) if isinstance(piece, int) else piece
        return {"type": "http.request", "body": body, "more_body": bool(body)}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    return Request({"type": "http", "headers": headers}, receive)


async def main(folder: Path, size_bytes: int) -> None:
    await take(folder, PIECE_BYTES)
    before_mib = resident_mib()
    taken_bytes = await take(folder, size_bytes)
    print(taken_bytes, round(resident_mib() - before_mib, 1))  # noqa: T201 - its answer


async def take(folder: Path, size_bytes: int) -> int:
    upload = MultipartUpload(request_of(size_bytes), size_bytes)
    store = ObjectStore.local(folder)
    received = await store_upload(
        store, new_id(), upload.pieces(), lambda: upload.filename
    )
    return received.size_bytes


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
