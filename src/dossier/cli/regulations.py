"""`dossier regulations`: import official lists, and say what was read.

Exit codes as in `ending`. A file that is not the list it should be changes nothing.
"""

import asyncio
import io
import resource
import time
import zipfile
from dataclasses import asdict
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from dossier.cli.ending import UNUSABLE, end, require_file
from dossier.core.errors import AppError
from dossier.core.settings import Settings
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.reader import SandboxedBooks, limits_of
from dossier.regulations.constants import LISTS, Market
from dossier.regulations.exceptions import AnnexNotReadableError
from dossier.regulations.importing.assembly import corrected
from dossier.regulations.importing.cosing import CellCount, read_annex
from dossier.regulations.importing.layout import Table, read_table, table_of
from dossier.regulations.importing.tfda import read_list
from dossier.regulations.rules.data_sets import ListSource, shipped
from dossier.regulations.rules.records import AnnexRule
from dossier.regulations.storage import FOLDER, data_set_named, store, with_list

app = typer.Typer(no_args_is_help=True)
_FEWEST_ROWS: Final = 0.8
"""A file with fewer rows than this share of the list in use looks truncated."""


class Source(StrEnum):
    """Whose export a file is."""

    COSING = "cosing"
    TFDA = "tfda"


_MARKETS: Final = {Source.COSING: Market.EU, Source.TFDA: Market.TW}


@app.callback()
def regulations() -> None:
    """Import ingredient lists and report how they were read."""


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, JSON, XML or a zip of one.")],
    *,
    source: Annotated[Source, typer.Option(help="Whose export it is.")],
    annex: Annotated[
        str, typer.Option(help="II to VI; of Taiwan: prohibited, restricted, …")
    ],
    effective: Annotated[
        str | None, typer.Option(help="From which day it holds, YYYY-MM-DD.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="The set whose list is replaced.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Only report; store nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> None:
    """Read one official list into a new data set; the set in use stays as it is."""
    command = "regulations import"
    require_file(command, file, as_json=as_json)
    try:
        content = _import(file, source, annex, effective, base, keeps=not report)
    except (AppError, UnreadableFileError) as exc:
        end(command, UNUSABLE, exc.detail, as_json=as_json)
    except ValueError as exc:
        end(command, UNUSABLE, str(exc), as_json=as_json)
    if as_json:
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("\n".join(f"{name}: {value}" for name, value in content.items()))


def _import(
    file: Path,
    source: Source,
    annex: str,
    effective: str | None,
    base_id: str | None,
    *,
    keeps: bool,
) -> dict[str, Any]:
    market = _MARKETS[source]
    if annex not in LISTS[market]:
        known = ", ".join(LISTS[market])
        msg = f"{source} has no list {annex!r}. Known: {known}."
        raise AnnexNotReadableError(msg)
    day = date.fromisoformat(effective) if effective else None
    started = time.perf_counter()
    table = _table(file, annex)
    read = read_annex if source is Source.COSING else read_list
    rules, count = read(table.rows, annex)
    rules = corrected(rules, count)
    folder = Settings().home / FOLDER
    base = data_set_named(base_id, folder)
    in_use = [rule for rule in base.rules.get(market, ()) if rule.list == annex]
    _refuse_other_file(rules, in_use, is_dated=day is not None)
    content: dict[str, Any] = {
        "list": annex,
        "updated": table.updated and table.updated.isoformat(),
        "data_set": None,
        **report_of(count),
        "seconds": f"{time.perf_counter() - started:.3f}",
        "memory_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if keeps:
        as_of = day or table.updated or datetime.now(UTC).date()
        about = ListSource(
            market=market.value,
            source=f"{source.value}: {file.name}",
            licence=next(s.licence for s in shipped().sources if s.market == market),
            as_of=as_of.isoformat(),
            begins=as_of.isoformat(),
            missing=(),
        )
        data_set = with_list(base, market, annex, rules, about)
        store(data_set, folder)
        content["data_set"] = data_set.id
    return content


def _refuse_other_file(
    rules: list[AnnexRule], in_use: list[AnnexRule], *, is_dated: bool
) -> None:
    """Raise an error for a file that is truncated, or older than the list in use."""
    if len(rules) < len(in_use) * _FEWEST_ROWS:
        msg = (
            f"The file has {len(rules)} rows, the list in use {len(in_use)}:"
            " it looks truncated, or it is another list."
        )
        raise AnnexNotReadableError(msg)
    newest, held = (
        max((rule.updated for rule in each if rule.updated), default=None)
        for each in (rules, in_use)
    )
    if newest and held and newest < held and not is_dated:
        msg = (
            f"The newest row of the file is of {newest}, that of the list in use of"
            f" {held}. State --effective to import an older list."
        )
        raise AnnexNotReadableError(msg)


def report_of(count: CellCount) -> dict[str, Any]:
    """Return what was structured, left as text and refused, and why."""
    content = asdict(count)
    content["reasons"] = dict(count.reasons)
    read = count.structured + count.by_hand
    share = "1" if not count.limit_cells else f"{read / count.limit_cells:.4f}"
    return content | {"structured_share": share}


def _table(file: Path, annex: str) -> Table:
    content = file.read_bytes()
    if content.startswith(b"PK") and file.suffix.lower() != ".xlsx":
        content = _unzipped(content)
    if not content.startswith(b"PK"):
        return read_table(content, annex)
    books = SandboxedBooks(limits_of(Settings().limits))
    book = asyncio.run(books.read_workbook(file, file.name))
    rows: dict[int, dict[int, str]] = {}
    for cell in book.sheets[0].cells:
        rows.setdefault(cell.row, {})[cell.column] = cell.text
    width = max((max(row) for row in rows.values()), default=0)
    start = min((min(row) for row in rows.values()), default=0)
    grid = [
        [rows[at].get(column, "") for column in range(start, width + 1)]
        for at in sorted(rows)
    ]
    return table_of(grid, annex)


_MOST_UNZIPPED_BYTES: Final = 50_000_000


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if len(entries) != 1 or entries[0].file_size > _MOST_UNZIPPED_BYTES:
                msg = "The zip must hold one list."
                raise AnnexNotReadableError(msg)
            return archive.read(entries[0])
    except zipfile.BadZipFile as exc:
        msg = "The zip cannot be read."
        raise AnnexNotReadableError(msg) from exc
