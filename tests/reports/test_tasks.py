"""The job that prints a report: what it stores and verifies, also when repeated."""

import hashlib
import io
import json
import tempfile
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import pikepdf
import pytest
from sqlalchemy import text
from tests.factories.jobs import make_context
from tests.factories.reports import ORIGINALS, make_report, read_report
from tests.reports.printing import InProcessRenderer, font

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.jobs.context import JobContext
from dossier.reports.exceptions import OriginalChangedError
from dossier.reports.models import Report
from dossier.reports.tasks import render


@pytest.fixture
def store(settings: Settings) -> ObjectStore:
    return open_store(settings.storage.url, settings.home)


@pytest.fixture
async def report(sessions: SessionFactory, org_id: UUID, settings: Settings) -> Report:
    return await make_report(sessions, org_id, settings)


async def _bytes(store: ObjectStore, report: Report, name: str) -> bytes:
    assert report.files is not None
    pieces = [piece async for piece in store.read(report.files[name]["key"])]
    return b"".join(pieces)


async def _render(context: JobContext, report_id: UUID, store: ObjectStore) -> None:
    renderer = InProcessRenderer(font().file.parent, "Dossier")
    await render(context, report_id, store=store, renderer=renderer)


async def _printed(
    sessions: SessionFactory, report: Report, store: ObjectStore
) -> Report:
    context = await make_context(sessions, report.org_id)
    await _render(context, report.id, store)
    return await read_report(sessions, report.org_id, report.id)


async def test_printed_report_has_its_three_files(
    sessions: SessionFactory,
    report: Report,
    store: ObjectStore,
) -> None:
    printed = await _printed(sessions, report, store)

    assert printed.files is not None
    assert sorted(printed.files) == ["findings.json", "inspection.zip", "pif.pdf"]
    for name, file in printed.files.items():
        content = await _bytes(store, printed, name)
        assert len(content) == file["size_bytes"]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert file["filename"].endswith(f"v3 {name}")
    with pikepdf.open(io.BytesIO(await _bytes(store, printed, "pif.pdf"))) as pdf:
        assert printed.page_count == len(pdf.pages)
        attached = pdf.attachments["findings.json"].get_file().read_bytes()
    assert attached == await _bytes(store, printed, "findings.json")


async def test_the_archive_verifies_against_its_manifest(
    sessions: SessionFactory,
    report: Report,
    store: ObjectStore,
) -> None:
    printed = await _printed(sessions, report, store)

    with ZipFile(io.BytesIO(await _bytes(store, printed, "inspection.zip"))) as zipped:
        manifest = json.loads(zipped.read("manifest.json"))
        listed = {file["path"]: file for file in manifest["files"]}
        assert {*listed, "manifest.json"} == set(zipped.namelist())
        for path, file in listed.items():
            content = zipped.read(path)
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            assert len(content) == file["size_bytes"]
        for position, (name, content) in enumerate(ORIGINALS.items(), start=1):
            assert zipped.read(f"originals/item-03/E{position:02d}_{name}") == content
        index = zipped.read("index.txt").decode()
    assert "originals/item-03/E02_GMP 證書.pdf" in index
    assert manifest["renderer"]["font_sha256"] == font().sha256()


async def test_a_second_run_changes_nothing(
    sessions: SessionFactory, report: Report, store: ObjectStore
) -> None:
    printed = await _printed(sessions, report, store)

    again = await _printed(sessions, report, store)

    assert again.files == printed.files
    assert again.rendered_at == printed.rendered_at


@pytest.mark.slow  # prints the whole file twice
async def test_printing_again_gives_the_same_bytes_under_the_same_keys(
    sessions: SessionFactory, report: Report, store: ObjectStore
) -> None:
    printed = await _printed(sessions, report, store)
    async with tenant_transaction(sessions, report.org_id) as session:
        await session.execute(
            text("update reports set files = null, rendered_at = null")
        )

    again = await _printed(sessions, report, store)

    assert again.files == printed.files


async def test_original_changed_in_the_store_fails_the_job(
    sessions: SessionFactory,
    report: Report,
    store: ObjectStore,
    settings: Settings,
) -> None:
    stored = [each for each in (settings.home / "blobs").rglob("*") if each.is_file()]
    content = ORIGINALS["配方表.xlsx"]
    [blob] = [each for each in stored if each.read_bytes() == content]
    blob.write_bytes(b"CELLS")
    context = await make_context(sessions, report.org_id)

    with pytest.raises(OriginalChangedError, match=r"配方表\.xlsx"):
        await _render(context, report.id, store)

    assert (await read_report(sessions, report.org_id, report.id)).files is None


async def test_nothing_is_left_in_the_temporary_folder(
    sessions: SessionFactory,
    report: Report,
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))

    await _printed(sessions, report, store)

    assert list(work.iterdir()) == []
