"""Makes the version, has it printed, and writes the three files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from dossier.cli.builder.outputs import write_outputs
from dossier.cli.builder.progress import Step
from dossier.cli.builder.waiting import require_done
from dossier.cli.builder.workshop import Workshop
from dossier.jobs.models import Job
from dossier.pif.constants import Market
from dossier.reports.constants import ReportFile


@dataclass(frozen=True, slots=True)
class Print:
    """One version and the report that shows it."""

    snapshot: dict[str, Any]
    version_sha256: str
    is_new_version: bool
    report_id: UUID


async def print_file(
    workshop: Workshop, product_id: UUID, market: Market, step: Step
) -> Print:
    """Fix the present state as a version, and wait until it is printed.

    Raises:
        JobFailedError: it could not be printed.
    """
    async with workshop.transaction() as session:
        made = await workshop.pif(session).snapshot_version(product_id, market)
        job = await workshop.reports(session).request_report(product_id, market)
        printed = Print(
            snapshot=made.version.snapshot,
            version_sha256=made.version.sha256,
            is_new_version=made.created,
            report_id=UUID(job.args["report_id"]),
        )
    await _until_printed(workshop, job)
    if await _has_lost_files(workshop, printed.report_id):
        async with workshop.transaction() as session:
            job = await workshop.reports(session).reprint(printed.report_id)
        await _until_printed(workshop, job)
    step.advance("version")
    return printed


async def _until_printed(workshop: Workshop, job: Job) -> None:
    ended: list[Job] = []
    await workshop.watch.until_done([job.id], ended.append)
    for each in ended:
        require_done(each)


async def _has_lost_files(workshop: Workshop, report_id: UUID) -> bool:
    """Tell whether bytes that were printed before were taken out of the store."""
    async with workshop.transaction() as session:
        report = await workshop.reports(session).get_report(report_id)
        keys = [file["key"] for file in (report.files or {}).values()]
    return not all([await workshop.store.has(key) for key in keys])


async def write_files(
    workshop: Workshop, printed: Print, out: Path, step: Step
) -> dict[str, Path]:
    """Write the report's files into the folder of the results."""
    async with workshop.transaction() as session:
        reports = workshop.reports(session)
        contents = {
            name.value: await reports.open_file(printed.report_id, name)
            for name in ReportFile
        }
    streams = {
        name: content.read(0, content.size_bytes) for name, content in contents.items()
    }
    written = await write_outputs(out, streams)
    step.advance(str(out))
    return written
