"""The inspection archive."""

import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from dossier.reports.archive import ArchiveEntry, file_chunks, new_archive


async def _chunks() -> AsyncIterator[bytes]:
    for letter in b"abc":
        yield bytes([letter]) * 1000


async def _write(target: Path) -> list[ArchiveEntry]:
    with new_archive(target) as archive:
        return [
            await archive.add("originals/01_配方.xlsx", _chunks(), 3000),
            await archive.add_bytes("manifest.json", b"{}\n"),
            await archive.add_bytes("originals/02_empty.txt", b""),
        ]


async def test_entries_are_measured_and_readable(tmp_path: Path) -> None:
    entries = await _write(tmp_path / "a.zip")

    with ZipFile(tmp_path / "a.zip") as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist() == [entry.path for entry in entries]
        for entry in entries:
            content = zipped.read(entry.path)
            assert len(content) == entry.size_bytes
            assert hashlib.sha256(content).hexdigest() == entry.sha256


async def test_the_same_entries_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _write(tmp_path / "a.zip")
    monkeypatch.setenv("TZ", "Asia/Taipei")
    time.tzset()

    await _write(tmp_path / "b.zip")

    monkeypatch.undo()
    time.tzset()
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


async def test_a_file_is_read_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (1 << 20) + b"y")

    pieces = [piece async for piece in file_chunks(tmp_path / "big")]

    assert [len(piece) for piece in pieces] == [1 << 20, 1]
