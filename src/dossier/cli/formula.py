"""`dossier formula read`: the formula of one spreadsheet, without a database.

Exit codes as in `ending`; a finding that blocks is an answer too.
"""

import asyncio
from dataclasses import asdict
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from dossier.cli.ending import BROKEN, end, require_file
from dossier.core.findings import Finding, finding_json
from dossier.core.settings import Settings
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.reader import (
    SandboxBrokenError,
    SandboxedBooks,
    limits_of,
)
from dossier.products.exceptions import FormulaTooLongError, NoFormulaFoundError
from dossier.products.formula_import.findings import file_finding
from dossier.products.formula_import.lines import ParsedLine
from dossier.products.formula_import.numbers import plain
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula
from dossier.products.formula_import.types import FormulaSource, Interval

app = typer.Typer(no_args_is_help=True)


@app.callback()
def formula() -> None:
    """Read formulas from spreadsheets."""


@app.command()
def read(
    file: Annotated[
        Path,
        typer.Argument(help="An xlsx, xls, ods or csv."),
    ],
    *,
    sheet: Annotated[str | None, typer.Option(help="The sheet to read.")] = None,
    column: Annotated[
        str | None,
        typer.Option(help="The quantity column, by its header or letter."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> None:
    """Show the lines of a formula, what is wrong with it, and how it was read."""
    require_file("formula read", file, as_json=as_json)
    try:
        digest = sha256(file.read_bytes()).hexdigest()
        source = FormulaSource(filename=file.name, sha256=digest)
        content = asyncio.run(_read(file, source, sheet, column))
    except (SandboxBrokenError, OSError) as exc:
        reason = str(exc) or type(exc).__name__
        end("formula read", BROKEN, reason, as_json=as_json)
    if as_json:
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("\n".join(_text(content)))


async def _read(
    file: Path, source: FormulaSource, sheet: str | None, column: str | None
) -> dict[str, Any]:
    books = SandboxedBooks(limits_of(Settings().limits))
    try:
        book = await books.read_workbook(file, file.name)
        parsed = parse_formula(book, source, sheet=sheet, column=column)
    except UnreadableFileError as exc:
        detail = exc.detail.removeprefix(f"{file.name}: ").rstrip(".")
        words = {"reason": exc.reason.value, "detail": detail}
        return _without_lines(file_finding("file-not-read", source, words))
    except NoFormulaFoundError:
        return _without_lines(file_finding("no-formula-found", source, {}))
    except FormulaTooLongError:
        return _without_lines(file_finding("formula-too-long", source, {}))
    return _content(parsed)


def _without_lines(finding: Finding) -> dict[str, Any]:
    return {
        "sheet": None,
        "columns": {},
        "lines": [],
        "total": {"min": None, "max": None},
        "findings": [finding_json(finding)],
        "notes": [],
    }


def _content(parsed: ParsedFormula) -> dict[str, Any]:
    content = {
        "sheet": parsed.sheet or None,
        "columns": parsed.columns,
        "lines": [_line(line) for line in parsed.lines],
        "total": _total(parsed.total if parsed.lines else None),
        "findings": [finding_json(finding) for finding in parsed.findings],
        "notes": [asdict(note) for note in parsed.notes],
    }
    if len(parsed.tables) > 1:
        content["tables"] = [
            {
                "sheet": table.sheet or None,
                "title": table.title or None,
                "columns": table.columns,
                "lines": [_line(line) for line in table.lines],
                "total": _total(table.total),
            }
            for table in parsed.tables
        ]
    return content


def _line(line: ParsedLine) -> dict[str, Any]:
    return {
        "name": line.trade_name or line.inci,
        "inci": line.inci,
        "cas": line.cas,
        "ec": line.ec,
        "phase": line.phase,
        "supplier": line.supplier,
        "function": line.function,
        "quantity": _decimal(line.percent_nominal),
        "min": _decimal(line.percent_lower),
        "max": _decimal(line.percent_upper),
        "unit": "%",
        "text": line.percent_text,
        "is_qs": line.is_qs,
        "sheet": line.sheet or None,
        "cell": line.cell,
    }


def _total(total: Interval | None) -> dict[str, str | None]:
    if total is None:
        return {"min": None, "max": None}
    return {"min": _decimal(plain(total.lower)), "max": _decimal(plain(total.upper))}


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _text(content: dict[str, Any]) -> list[str]:
    lines = [f"Sheet: {content['sheet'] or '-'}"]
    columns = (f"{role} = {header}" for role, header in content["columns"].items())
    lines.append(f"Columns: {', '.join(columns) or '-'}")
    for line in content["lines"]:
        quantity = _shown(line["min"], line["max"])
        name = line["inci"] or line["name"] or "-"
        qs = " q.s." if line["is_qs"] else ""
        lines.append(f"{line['cell']:>6}  {quantity:>12} %  {name}{qs}")
    if content["total"]["min"] is not None:
        shown = _shown(content["total"]["min"], content["total"]["max"])
        lines.append(f"Total: {shown} %")
    for finding in content["findings"]:
        cell = finding["place"].get("cell", "")
        words = f"{finding['severity']}: {cell} {finding['message']['en']}"
        lines.append(" ".join(words.split()))
    for note in content["notes"]:
        words = f"note: {note['cell'] or ''} {note['en']}"
        lines.append(" ".join(words.split()))
    return lines


def _shown(low: str | None, high: str | None) -> str:
    if high is None:
        return f"\u2265 {low}"
    return f"{low}" if low == high else f"{low}\u2013{high}"
