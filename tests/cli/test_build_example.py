"""What `make demo` says of the example: every planned fault, and nothing else.

The expectations stand at the top; `examples/rose-cream/README.md` lists them in words.
"""

import json
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from tests.conftest import TEMPLATE, clone
from typer.testing import CliRunner

from dossier.cli.build import app
from dossier.core.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.process]

EXAMPLE = Path(__file__).parents[2] / "examples" / "rose-cream"
RESULTS = ("pif.pdf", "findings.json", "inspection.zip")

NOT_PRESENT = {14: "missing", 15: "unconfirmed"}
FINDINGS = [
    ("blocking", "negative-rest", 3),
    ("blocking", "missing-item", 14),
    ("warning", "evidence-other-product", 14),
    ("warning", "unconfirmed-requirement", 15),
]
WRONG_CELL = ("formula.xlsx", "配方 Formula", "D6")
ITEM_LINES = [
    "Items: 13 complete + 1 blocked + 1 unconfirmed + 0 stale + 1 missing = 16",
    "  blocked      3  全成分與含量 Full formula with contents",
    "  missing     14  功能評估佐證 Evidence of function",
    "  unconfirmed 15  與產品接觸的包裝材質 Packaging in contact with the product",
]
FORMULA_LINES = [
    "Formula: formula.xlsx, sheet 配方 Formula, 20 lines",
    (
        '  chosen    product.yaml names the sheet "配方 Formula". Without that: Several'
        " sheets may be the formula: 配方 Formula, 配方 Formula (2); no line was read."
    ),
    (
        "  not read  Other sheets look like formulas and were not read:"
        " 配方 Formula (2), 修訂 Revisions."
    ),
    (
        "  assumed   Sub-percentages were read as shares of their raw material and"
        " multiplied."
    ),
]
PAPER_LINES = [
    "Papers (18): 15 were read and count",
    (
        "  by item: 2 notification-printout.pdf · 3 formula.xlsx"
        " · 4 label/label-text.docx · 5 quality/GMP-certificate.pdf · 8 scan-0007.pdf"
        " · 9 tests/product-specification.pdf"
        " · 9, 10 raw-materials/SDS-PreservaSet-PE.pdf"
        " · 10 raw-materials/toxicology-summary.pdf · 11 tests/stability-report.pdf"
        " · 12 tests/microbial-limits.pdf · 13 tests/preservative-challenge.pdf"
        " · 16 assessment/assessor-credentials.pdf"
        " · 16 assessment/safety-assessment-signed.pdf"
    ),
    (
        "  packaging/packaging-material-scan.pdf      not read: its pages are pictures"
        " without text, and no OCR is installed; item 15 stays unconfirmed"
    ),
    (
        "  quality/GMP-certificate-2022.pdf           does not count for item 5: was"
        " valid until 2025-04-17; quality/GMP-certificate.pdf counts"
    ),
    (
        "  quality/process-description.docx           counts for item 6; read: the"
        " document has tracked changes: insertions are read, deletions left out;"
        " accept or reject them"
        " before it is final"
    ),
    (
        "  raw-materials/rose-otto-specification.pdf  counts for item 9; read"
        " (page 1): 12 form fields"
        " were read with their values, 1 of them empty"
    ),
    (
        "  tests/efficacy-hydration.pdf               does not count for item 14: is"
        " about another product (RS-0208)"
    ),
]
MOST_LINES = 40
"""The summary fits on one screen."""


@dataclass(frozen=True)
class Example:
    """The example, built once as a person would, in a database of its own."""

    settings: Settings
    out: Path
    output: dict[str, Any]


def command(settings: Settings, folder: Path, out: Path, *options: str) -> str:
    """Run the command as a person would, on the test's own database."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DOSSIER_HOME", str(settings.home))
        monkeypatch.setenv("DOSSIER_DATABASE__URL", str(settings.database.url))
        result = CliRunner().invoke(app, [str(folder), "-o", str(out), *options])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
async def example_url(cluster_url: str, common_settings: Settings) -> str:
    del common_settings  # only so that the template exists
    return await clone(cluster_url, TEMPLATE, f"example_{os.getpid()}")


@pytest.fixture(scope="module")
def example(
    example_url: str,
    common_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Example:
    folder = tmp_path_factory.mktemp("example")
    database = common_settings.database.model_copy(update={"url": example_url})
    changes = {"home": folder / "home", "database": database}
    settings = common_settings.model_copy(update=changes)
    output = command(settings, EXAMPLE, folder / "first", "--json")
    return Example(settings, folder / "first", json.loads(output))


def digests(folder: Path) -> dict[str, str]:
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in RESULTS}


def verify(path: Path) -> None:
    """Check the archive by its manifest, as the example's README shows."""
    with ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        listed = {file["path"]: file["sha256"] for file in manifest["files"]}
        assert {*listed, "manifest.json"} == set(archive.namelist())
        for name, digest in listed.items():
            assert sha256(archive.read(name)).hexdigest() == digest


def test_example_has_the_planned_faults_and_no_others(example: Example) -> None:
    output = example.output

    states = {item["number"]: item["state"] for item in output["items"]}
    assert {n: s for n, s in states.items() if s != "present"} == NOT_PRESENT
    found = [
        (each["severity"], each["code"], each["item"]) for each in output["findings"]
    ]
    assert found == FINDINGS
    place = output["findings"][0]["place"]
    assert (place["filename"], place["sheet"], place["cell"]) == WRONG_CELL
    assert [each["name"] for each in output["unread"]] == [
        "packaging/packaging-material-scan.pdf"
    ]
    assert all(paper["items"] for paper in output["papers"])
    assert output["version"]["created"]
    verify(example.out / "inspection.zip")


def test_second_build_says_what_it_did_with_each_paper(
    example: Example, tmp_path: Path
) -> None:
    summary = command(example.settings, EXAMPLE, tmp_path / "again").splitlines()

    assert "there is no new version" in summary[2]
    at = summary.index(ITEM_LINES[0])
    assert summary[at : at + len(ITEM_LINES)] == ITEM_LINES
    at = summary.index(FORMULA_LINES[0])
    assert summary[at : at + len(FORMULA_LINES)] == FORMULA_LINES
    at = summary.index(PAPER_LINES[0])
    assert summary[at : at + len(PAPER_LINES)] == PAPER_LINES
    assert summary[at + len(PAPER_LINES)] == ""
    assert len(summary) <= MOST_LINES
    assert digests(example.out) == digests(tmp_path / "again")


def test_counts_of_the_example_add_up_to_sixteen(example: Example) -> None:
    count = example.output["completeness"]

    states = ("complete", "blocked", "unconfirmed", "stale", "missing")
    assert sum(count[state] for state in states) == count["total"] == 16


def test_deleted_words_of_tracked_changes_count_nowhere(example: Example) -> None:
    with ZipFile(example.out / "inspection.zip") as archive:
        snapshot = json.loads(archive.read("snapshot.json"))

    [process] = [
        each
        for each in snapshot["evidence"]
        if each["filename"] == "process-description.docx"
    ]
    versions = [f["value"] for f in process["facts"] if f["name"] == "formula_version"]
    assert versions == ["4"]


def test_bytes_removed_from_the_store_are_stored_and_printed_again(
    example: Example, tmp_path: Path
) -> None:
    shutil.rmtree(example.settings.home / "blobs")

    again = command(example.settings, EXAMPLE, tmp_path / "again", "--json")

    assert json.loads(again)["version"]["number"] == example.output["version"]["number"]
    assert digests(example.out) == digests(tmp_path / "again")
