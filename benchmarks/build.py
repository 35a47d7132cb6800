"""`build`: the example end to end, a long formula, a long file, a long paper."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import typst
from benchmarks.processes import dossier

from dossier.core.embedded.cluster import embedded_postgres
from dossier.core.settings import Settings
from dossier.integrations.parsing.reader import (
    SandboxedBooks,
    SandboxedReader,
    limits_of,
)
from dossier.integrations.pdf.client import PdfRenderer
from dossier.products.formula_import.pipeline import parse_formula
from dossier.products.formula_import.types import FormulaSource
from dossier.reports.content import TEMPLATE, ReportContent

EXAMPLE = Path(__file__).parents[1] / "examples" / "rose-cream"
FORMULA_LINES = 500
PRINTED_PAGES, PRINTED_LIMIT_S = 100, 3.0
READ_PAGES = 200
_LINES_PER_PAGE = 22
"""Of the composition table; the measure repeats lines until there are pages enough."""


async def measure() -> dict[str, Any]:
    """Return seconds of each, the builds with their stages."""
    with tempfile.TemporaryDirectory(prefix="dossier-bench-") as name:
        folder = Path(name)
        async with _home(folder / "home") as env:
            builds = {
                "first": await _build(env, folder / "out"),
                "again": await _build(env, folder / "out"),
            }
        snapshot = _snapshot(folder / "out" / "inspection.zip")
        return {
            "example": builds,
            "formula_of_500_lines": await _long_formula(folder),
            "file_of_100_pages": await _long_file(folder, snapshot),
            "text_of_200_pages": await _long_paper(folder),
        }


@asynccontextmanager
async def _home(home: Path) -> AsyncIterator[dict[str, str]]:
    try:
        yield {"DOSSIER_HOME": str(home), "PATH": "/usr/bin:/bin"}
    finally:
        embedded_postgres(home).destroy()


@contextmanager
def _timed(result: dict[str, Any]) -> Iterator[None]:
    started_at = time.perf_counter()
    yield
    result["seconds"] = round(time.perf_counter() - started_at, 3)


async def _build(env: dict[str, str], out: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    argv = [dossier(), "build", str(EXAMPLE), "-o", str(out), "--json"]
    with _timed(result):
        child = await asyncio.create_subprocess_exec(
            *argv, env=env, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await child.communicate()
    if child.returncode:
        message = f"the build ended with {child.returncode}: {printed.decode()}"
        raise RuntimeError(message)
    return result | {"stages_s": json.loads(printed)["seconds"]}


def _snapshot(archive: Path) -> dict[str, Any]:
    with ZipFile(archive) as members:
        snapshot: dict[str, Any] = json.loads(members.read("snapshot.json"))
    return snapshot


async def _long_formula(folder: Path) -> dict[str, Any]:
    """Read and judge a sheet of 500 lines, the reader's process included."""
    path = folder / "long.xlsx"
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Phase", "INCI name", "CAS No.", "% w/w", "Function"])
    for number in range(1, FORMULA_LINES + 1):
        sheet.append(["A", f"Ingredient {number}", "56-81-5", 0.2, "humectant"])
    book.save(path)
    result: dict[str, Any] = {}
    with _timed(result):
        grid = await SandboxedBooks(_limits()).read_workbook(path, path.name)
        parsed = parse_formula(grid, FormulaSource(filename=path.name, sha256="0" * 64))
    return result | {"lines": len(parsed.lines)}


async def _long_file(folder: Path, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Print a version whose composition fills the pages."""
    lines = snapshot["formula"]["lines"]
    copies = PRINTED_PAGES * _LINES_PER_PAGE // len(lines)
    snapshot["formula"]["lines"] = lines * copies
    content = ReportContent(snapshot, "0" * 64)
    result: dict[str, Any] = {}
    with _timed(result):
        pages = await PdfRenderer(None, "Dossier benchmark").render(
            TEMPLATE,
            folder / "long.pdf",
            inputs=content.template_inputs(content.findings_json().decode()),
            timestamp=datetime(2026, 1, 1, tzinfo=UTC),
            identifier="urn:dossier:benchmark",
        )
    per_100_s = result["seconds"] * PRINTED_PAGES / pages
    return result | {
        "pages": pages,
        "seconds_per_100_pages": round(per_100_s, 3),
        "limit_s": PRINTED_LIMIT_S,
        "passed": per_100_s < PRINTED_LIMIT_S,
    }


async def _long_paper(folder: Path) -> dict[str, Any]:
    path = folder / "paper.pdf"
    source = f"#for page in range({READ_PAGES}) {{ lorem(350); pagebreak(weak: true) }}"
    path.write_bytes(typst.compile(source.encode()))
    result: dict[str, Any] = {}
    with _timed(result):
        text = await SandboxedReader(_limits()).read(path, path.name)
    characters = sum(len(page.text) for page in text.pages)
    return result | {"pages": text.page_count, "characters": characters}


def _limits() -> Any:
    return limits_of(Settings().limits)
