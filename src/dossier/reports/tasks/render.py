"""The job that prints a version: typeset, pack, store.

Every step reads the version alone, so a run that is repeated makes the same bytes,
which the store keeps under the same keys.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from dossier.core.database import tenant_transaction
from dossier.jobs.context import JobContext
from dossier.reports import gateway, rules
from dossier.reports.constants import ReportFile
from dossier.reports.exceptions import OriginalChangedError
from dossier.reports.ports import BlobStore, Typesetter
from dossier.reports.service import path_of
from dossier.reports.tasks.archive import Archive, Entry, file_chunks, new_archive
from dossier.reports.tasks.loading import Source, load
from dossier.reports.tasks.manuscript import TEMPLATE, Manuscript

STEPS = 3


@dataclass(frozen=True, slots=True)
class Press:
    """What a report is made with."""

    store: BlobStore
    typesetter: Typesetter


async def render(ctx: JobContext, report_id: UUID, *, press: Press) -> None:
    """Print one report; one that is printed already is left as it is."""
    source = await load(ctx, report_id)
    if source is None:
        return await _finish(ctx, report_id)
    with tempfile.TemporaryDirectory(prefix="dossier-report-") as folder:
        page_count = await _make(ctx, source, press, Path(folder))
        await ctx.progress(2, STEPS, "step", "storing")
        files = await _store(ctx, source.manuscript, press.store, Path(folder))
    await ctx.progress(STEPS, STEPS, "step", "stored")
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await gateway.settle_report_for_org(
            session, ctx.org_id, report_id, files=files, page_count=page_count
        )
        await ctx.finish(session, result_path=path_of(report_id))
    return None


async def _finish(ctx: JobContext, report_id: UUID) -> None:
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await ctx.finish(session, result_path=path_of(report_id))


async def _make(ctx: JobContext, source: Source, press: Press, folder: Path) -> int:
    """Make the three files in a folder and return the number of pages."""
    manuscript = source.manuscript
    findings = manuscript.findings_json()
    await ctx.progress(0, STEPS, "step", "typesetting")
    page_count = await press.typesetter.typeset(
        TEMPLATE,
        folder / ReportFile.PDF,
        inputs=manuscript.typesetter_inputs(findings.decode()),
        timestamp=manuscript.timestamp,
        identifier=f"urn:sha256:{manuscript.sha256}",
    )
    (folder / ReportFile.FINDINGS).write_bytes(findings)
    await ctx.progress(1, STEPS, "step", "packing")
    await _pack(source, press, folder)
    return page_count


async def _pack(source: Source, press: Press, folder: Path) -> None:
    manuscript = source.manuscript
    renderer = await press.typesetter.describe()
    with new_archive(folder / ReportFile.ARCHIVE) as archive:
        made = [
            await _add_file(archive, folder / name)
            for name in (ReportFile.PDF, ReportFile.FINDINGS)
        ]
        made.append(
            await archive.add_bytes("snapshot.json", manuscript.snapshot_json())
        )
        originals = [
            entry async for entry in _add_originals(archive, source, press.store)
        ]
        manifest = manuscript.manifest_json(renderer, originals, made)
        await archive.add_bytes("manifest.json", manifest)


async def _add_file(archive: Archive, path: Path) -> Entry:
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    return await archive.add(path.name, file_chunks(path), size_bytes)


async def _add_originals(
    archive: Archive, source: Source, store: BlobStore
) -> AsyncIterator[Entry]:
    papers = source.manuscript.snapshot["evidence"]
    for position, paper in enumerate(papers, start=1):
        entry = await archive.add(
            rules.original_path(position, paper["filename"]),
            store.read(source.keys[paper["document_id"]], 0, paper["size_bytes"]),
            paper["size_bytes"],
        )
        if entry.sha256 != paper["sha256"]:
            raise OriginalChangedError(paper["filename"])
        yield entry


async def _store(
    ctx: JobContext, manuscript: Manuscript, store: BlobStore, folder: Path
) -> dict[str, Any]:
    files = {}
    for name in ReportFile:
        blob = await store.write(f"reports/{ctx.org_id}", file_chunks(folder / name))
        files[name.value] = {
            "key": blob.key,
            "sha256": blob.sha256,
            "size_bytes": blob.size_bytes,
            "filename": rules.download_name(
                manuscript.title, manuscript.version_number, name
            ),
        }
    return files
