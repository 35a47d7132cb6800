"""The whole build on a real database, with its jobs run in the same process.

Slow: each document is read in a process of its own, and the file is typeset.
"""

import os
import shutil
import signal
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pikepdf
import pytest
from tests.factories.spreadsheets import xlsx_bytes
from tests.processes import STDOUT, Forkers, piped

from dossier.cli.builder.pipeline import BuildOptions, run_build
from dossier.cli.builder.result import BuildResult
from dossier.cli.builder.terminal import Stages
from dossier.cli.builder.types import UnusableInputError
from dossier.core.settings import Settings
from dossier.testing.documents import make_documents

pytestmark = [pytest.mark.slow, pytest.mark.process]

EXAMPLE = Path(__file__).parents[2] / "examples" / "rose-cream"
RESULTS = ("pif.pdf", "findings.json", "inspection.zip")


@pytest.fixture
def own_settings(settings: Settings, fresh_database: str) -> Settings:
    database = settings.database.model_copy(update={"url": fresh_database})
    return settings.model_copy(update={"database": database})


async def build(settings: Settings, folder: Path, out: Path) -> BuildResult:
    return await run_build(settings, BuildOptions(folder, out, "tw"), Stages(None))


def blocking(result: BuildResult) -> list[tuple[str, int]]:
    return [
        (finding["code"], finding["item"])
        for finding in result.findings()
        if finding["severity"] == "blocking"
    ]


def missing(result: BuildResult) -> list[int]:
    return [item["number"] for item in result.items_in("missing")]


def test_stopped_build_reports_it_and_writes_nothing(
    own_settings: Settings, tmp_path: Path, forkers: Forkers
) -> None:
    environment = os.environ | {
        "DOSSIER_HOME": str(own_settings.home),
        "DOSSIER_DATABASE__URL": str(own_settings.database.url),
    }
    out = tmp_path / "new" / "out"
    command = ["-m", "dossier", "build", str(EXAMPLE), "-o", str(out)]
    with piped() as (lines, handle):
        process = forkers.start(command, environment, STDOUT, handle)
        os.close(handle)
        begun = next(line for line in lines if "Taking in" in line)
        process.send_signal(signal.SIGINT)
        remaining = list(lines)

    assert begun
    assert remaining[-1] == "dossier build: stopped; nothing was written\n"
    assert process.wait() == 130
    assert not out.parent.exists()


def make_unreadable_folder(folder: Path) -> None:
    """Put readable files beside one of each kind that cannot be read."""
    folder.mkdir()
    papers = make_documents()
    for name in ("product.yaml", "formula.xlsx", "scan-0007.pdf"):
        (folder / name).write_bytes(papers[name])
    facts = (folder / "product.yaml").read_text().partition("\nevidence:")[0]
    (folder / "product.yaml").write_text(facts)
    with pikepdf.open(folder / "scan-0007.pdf") as document:
        locked = pikepdf.Encryption(owner="o", user="u")
        document.save(folder / "locked.pdf", encryption=locked)
    (folder / "broken.pdf").write_bytes(papers["scan-0007.pdf"][:2000])
    (folder / "wrong.pdf").write_bytes(papers["quality/process-description.docx"])
    (folder / "empty.pdf").touch()
    (folder / "folder\\sales.xlsx").write_bytes(xlsx_bytes([("Month", "Sold")]))
    (folder / "stability.csv").write_bytes("安定性,天數\n良好,90\n".encode("big5"))
    (folder / "label.csv").write_bytes("標籤,仿單\n有,有\n".encode("utf-16"))
    (folder / "latin.csv").write_bytes(b"Cr\x81me;\xfe\n\xff;1")
    with (folder / "huge.pdf").open("wb") as huge:
        huge.truncate(2 * 1024**3)
    (folder / "leak.pdf").symlink_to("/etc/hostname")
    with ZipFile(folder / "bomb.xlsx", "w", ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", b"<workbook/>")
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)


def correct_formula(folder: Path) -> None:
    """Correct the misplaced decimal point, and remove a file."""
    book = openpyxl.load_workbook(folder / "formula.xlsx")
    book.worksheets[0]["D7"] = 7.0
    book.save(folder / "formula.xlsx")
    (folder / "scan-0007.pdf").unlink()


async def test_unreadable_files_are_named_and_a_change_makes_a_version(
    own_settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    make_unreadable_folder(folder)

    first = await build(own_settings, folder, folder / "out")
    correct_formula(folder)
    second = await build(own_settings, folder, folder / "out")

    reasons = {entry.name: entry.reason for entry in first.unread()}
    assert sorted(reasons) == [
        "bomb.xlsx",
        "broken.pdf",
        "empty.pdf",
        "huge.pdf",
        "latin.csv",
        "leak.pdf",
        "locked.pdf",
    ]
    assert reasons["huge.pdf"] == "larger than 200 MiB"
    assert reasons["empty.pdf"] == "the file is empty (0 bytes)"
    encodings = {paper.name: paper.encoding for paper in first.imported}
    assert (encodings["stability.csv"], encodings["label.csv"]) == ("big5", "utf-16")
    items = {paper.name: entry and entry["items"] for paper, entry in first.matched()}
    assert items["formula.xlsx"] == [3]
    assert items["scan-0007.pdf"] == [8]
    assert (items["stability.csv"], items["label.csv"]) == ([11], [4])
    assert items["folder\\sales.xlsx"] is None
    assert items["wrong.pdf"] == [6]  # known by its content, whatever its ending
    assert ("negative-rest", 3) in blocking(first)
    assert second.snapshot["product"]["id"] == first.snapshot["product"]["id"]
    assert second.snapshot["version_number"] == 2
    assert ("negative-rest", 3) not in blocking(second)
    assert set(missing(second)) - set(missing(first)) == {8}
    shutil.rmtree(folder / "out")


async def test_folder_of_noise_makes_no_product_and_no_version(
    own_settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    facts = (EXAMPLE / "product.yaml").read_text().partition("\nevidence:")[0]
    (folder / "product.yaml").write_text(facts)
    for name in ("a.bin", "b.bin", "c.bin"):
        (folder / name).write_bytes(sha256(name.encode()).digest() * 40)

    with pytest.raises(UnusableInputError, match=r"a\.bin: .*\n.*b\.bin: .*\n.*c\.bin"):
        await build(own_settings, folder, tmp_path / "out")

    assert not (tmp_path / "out").exists()  # it stayed empty, so it was removed


BLANK_NAMES = (
    "2 notification print-out 登錄證明.pdf",
    "4 label artwork 標籤.pdf",
    "5 GMP certificate ISO 22716.pdf",
    "6 manufacturing process 製程.pdf",
    "7 directions for use 使用方法.pdf",
    "8 adverse reactions 不良反應.pdf",
    "9 product specification 規格.pdf",
    "9 SDS raw material.pdf",
    "10 toxicology 毒理.pdf",
    "11 stability report 安定性.pdf",
    "12 microbial limits 微生物.pdf",
    "13 preservative challenge 防腐效能.pdf",
    "14 efficacy test 功效.pdf",
    "15 packaging material 包材.pdf",
    "16 safety assessment signed 安全評估.pdf",
)


async def test_blank_pages_with_perfect_names_make_no_item_present(
    own_settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(EXAMPLE / "formula.xlsx", folder)
    product = (EXAMPLE / "product.yaml").read_text().partition("\nevidence:")[0]
    (folder / "product.yaml").write_text(product)
    for number, name in enumerate(BLANK_NAMES, 1):
        with pikepdf.new() as pdf:
            for _page in range(number):  # no two are the same bytes
                pdf.add_blank_page(page_size=(595, 842))
            pdf.save(folder / name)

    result = await build(own_settings, folder, tmp_path / "out")

    assert [item["number"] for item in result.items_in("present")] == [1, 3, 7]
    linked = {item["number"] for item in result.items_in("unconfirmed")}
    assert {2, 4, 5, 11} <= linked
    assert result.snapshot["completeness"]["complete"] == 2
