"""Makes the version, has it printed, and writes the three files.

All files appear, or none of the earlier ones is replaced.
"""

import errno
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from uuid import UUID

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.terminal import StageProgress
from dossier.cli.builder.types import UnusableInputError
from dossier.pif.constants import Market
from dossier.pif.service.versions import VersionResult
from dossier.reports.constants import ReportFile


@contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Hold the folder of the results; one that stays empty is removed again.

    Raises:
        UnusableInputError: as `require_output_folder`.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    require_output_folder(folder)
    try:
        yield
    finally:
        for path in made:  # the innermost first
            with suppress(OSError):  # it holds something, so it stays
                path.rmdir()


def require_output_folder(folder: Path) -> None:
    """Make the folder of the results, or say why it cannot be used.

    Raises:
        UnusableInputError: it is a file, or may not be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        message = f"{folder}: cannot hold the results: {_obstacle(folder, exc)}"
        raise UnusableInputError(message) from exc


async def print_version(
    context: BuildContext,
    product_id: UUID,
    market: Market,
    as_of: date | None,
    step: StageProgress,
) -> tuple[VersionResult, UUID]:
    """Freeze the present state as a version, and wait until it is printed.

    Returns the version and the id of its report.

    Raises:
        JobFailedError: it could not be printed.
    """
    async with context.transaction() as session:
        versions = context.versions(session)
        frozen = await versions.snapshot_version(product_id, market, as_of)
        job = await context.reports(session).request_print(frozen.version)
    report_id = UUID(job.args["report_id"])
    await context.require_done(job.id)
    async with context.transaction() as session:
        report = await context.reports(session).get_report(report_id)
        keys = [file["key"] for file in (report.files or {}).values()]
    if not all([await context.store.has(key) for key in keys]):
        # An earlier build printed this version, and its files were removed since.
        async with context.transaction() as session:
            job = await context.reports(session).reprint(report_id)
        await context.require_done(job.id)
    step.advance("version")
    return frozen, report_id


async def write_report(
    context: BuildContext, report_id: UUID, out: Path, step: StageProgress
) -> dict[str, Path]:
    """Write the report's files into the folder of the results."""
    async with context.transaction() as session:
        reports = context.reports(session)
        contents = {
            name.value: await reports.open_file(report_id, name) for name in ReportFile
        }
    streams = {
        name: content.read(0, content.size_bytes) for name, content in contents.items()
    }
    written = await write_outputs(out, streams)
    step.advance(str(out))
    return written


async def write_outputs(
    folder: Path, contents: Mapping[str, AsyncIterator[bytes]]
) -> dict[str, Path]:
    """Write every file beside its place, then move all into place."""
    with tempfile.TemporaryDirectory(prefix=".dossier-", dir=folder) as partial:
        for name, content in contents.items():
            with (Path(partial) / name).open("wb") as file:
                async for chunk in content:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        for name in contents:
            (Path(partial) / name).replace(folder / name)
    return {name: folder / name for name in contents}


def _obstacle(folder: Path, exc: OSError) -> str:
    """Return what prevents the folder, and where: the system's words alone mislead."""
    if exc.errno == errno.ENAMETOOLONG:
        return "the name is too long"
    parents = (folder, *folder.parents)
    nearest = next((path for path in parents if os.path.lexists(path)), folder)
    subject = "it is" if nearest == folder else f"{nearest} is"
    if nearest.is_symlink() and not nearest.exists():
        return f"{subject} a link that leads nowhere"
    if not nearest.is_dir():
        return f"{subject} a file"
    if exc.errno == errno.ENOENT:  # mkdir below a folder that exists: /proc, /sys
        return f"the file system of {nearest} takes no files of users"
    return f"in {nearest} nothing can be written: {exc.strerror}"
