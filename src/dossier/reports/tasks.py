"""The job that prints a version: typeset, pack, store.

Every step reads the version alone, so a repeated attempt makes the same bytes, which
the store keeps under the same keys.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from dossier.core.database import tenant_transaction
from dossier.documents.service import DocumentsService
from dossier.integrations.pdf.client import PdfRenderer
from dossier.integrations.storage.client import ObjectStore
from dossier.jobs.context import JobContext
from dossier.pif.service.versions import VersionsService
from dossier.products.service.formulas import FormulaService
from dossier.products.service.products import ProductsService
from dossier.reports import gateway, rules
from dossier.reports.archive import ArchiveEntry, file_chunks, new_archive
from dossier.reports.constants import ReportFile
from dossier.reports.content import TEMPLATE, ReportContent
from dossier.reports.exceptions import OriginalChangedError
from dossier.reports.service import path_of

STEPS = 3


async def render(
    ctx: JobContext, report_id: UUID, *, store: ObjectStore, renderer: PdfRenderer
) -> None:
    """Print one report; one that is printed already is left as it is."""
    loaded = await _load(ctx, report_id)
    if loaded is None:
        async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
            await ctx.finish(session, result_path=path_of(report_id))
        return
    content, blob_keys = loaded
    with tempfile.TemporaryDirectory(prefix="dossier-report-") as name:
        folder = Path(name)
        findings = content.findings_json()
        await ctx.progress(0, STEPS, "step", "typesetting")
        page_count = await renderer.render(
            TEMPLATE,
            folder / ReportFile.PDF,
            inputs=content.template_inputs(findings.decode()),
            timestamp=content.timestamp,
            identifier=f"urn:sha256:{content.sha256}",
        )
        (folder / ReportFile.FINDINGS).write_bytes(findings)
        await ctx.progress(1, STEPS, "step", "packing")
        await _write_archive(folder, content, blob_keys, store, renderer)
        await ctx.progress(2, STEPS, "step", "storing")
        files = await _store_files(ctx.org_id, folder, content, store)
    await ctx.progress(STEPS, STEPS, "step", "stored")
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        await gateway.record_rendering_for_org(
            session, ctx.org_id, report_id, files=files, page_count=page_count
        )
        await ctx.finish(session, result_path=path_of(report_id))


async def _load(
    ctx: JobContext, report_id: UUID
) -> tuple[ReportContent, dict[str, str]] | None:
    """Read all that is printed in one short transaction.

    Returns the content with the keys of its originals in the store, by document id,
    or `None` where the report is printed already.
    """
    async with tenant_transaction(ctx.sessions, ctx.org_id) as session:
        report = await gateway.get_report_for_org(session, ctx.org_id, report_id)
        if report is None or report.files is not None:
            return None
        documents = DocumentsService(session, ctx.actor)
        products = ProductsService(session, ctx.actor, documents)
        formulas = FormulaService(session, ctx.actor, products)
        versions = VersionsService(session, ctx.actor, products, formulas, documents)
        version = await versions.get_version_by_id(report.version_id)
        blob_keys: dict[str, str] = {}
        for entry in version.snapshot["evidence"]:
            document = await documents.get_document(UUID(entry["document_id"]))
            blob_keys[entry["document_id"]] = document.blob_key
    return ReportContent(version.snapshot, version.sha256), blob_keys


async def _write_archive(
    folder: Path,
    content: ReportContent,
    blob_keys: dict[str, str],
    store: ObjectStore,
    renderer: PdfRenderer,
) -> None:
    """Pack the made files, the originals and the manifest that lists them."""
    made: list[ArchiveEntry] = []
    originals: list[ArchiveEntry] = []
    with new_archive(folder / ReportFile.ARCHIVE) as archive:
        for file in (folder / ReportFile.PDF, folder / ReportFile.FINDINGS):
            size_bytes = (await asyncio.to_thread(file.stat)).st_size
            made.append(await archive.add(file.name, file_chunks(file), size_bytes))
        snapshot = content.snapshot_json()
        made.append(await archive.add_bytes("snapshot.json", snapshot))
        made.append(await archive.add_bytes("index.txt", content.index_text()))
        for path, document in zip(
            content.original_paths, content.snapshot["evidence"], strict=True
        ):
            blob_key = blob_keys[document["document_id"]]
            entry = await archive.add(
                path,
                store.read(blob_key, 0, document["size_bytes"]),
                document["size_bytes"],
            )
            if entry.sha256 != document["sha256"]:
                raise OriginalChangedError(document["filename"])
            originals.append(entry)
        manifest = content.manifest_json(await renderer.describe(), originals, made)
        await archive.add_bytes("manifest.json", manifest)


async def _store_files(
    org_id: UUID, folder: Path, content: ReportContent, store: ObjectStore
) -> dict[str, Any]:
    """Store the three files, and return them as the report's row keeps them."""
    files = {}
    for name in ReportFile:
        blob = await store.write(f"reports/{org_id}", file_chunks(folder / name))
        files[name.value] = {
            "key": blob.key,
            "sha256": blob.sha256,
            "size_bytes": blob.size_bytes,
            "filename": rules.download_name(
                content.title, content.version_number, name
            ),
        }
    return files
