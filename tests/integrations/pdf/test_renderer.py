"""Rendering in a process of its own: the same bytes, a time limit, clear errors."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.reports import samples
from tests.reports.printing import SHA256, font

from dossier.integrations.pdf.client import PdfRenderer
from dossier.integrations.pdf.exceptions import (
    NoCjkFontError,
    TypesettingError,
    TypesettingTimeoutError,
)
from dossier.reports.content import TEMPLATE, ReportContent


async def _render(
    template: Path, target: Path, inputs: dict[str, Any], timeout_s: float = 120
) -> int:
    renderer = PdfRenderer(font().file.parent, "Dossier", timeout_s=timeout_s)
    return await renderer.render(
        template,
        target,
        inputs=inputs,
        timestamp=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        identifier="urn:sha256:" + SHA256,
    )


@pytest.mark.slow  # two processes, each of which starts and prints the whole file
async def test_same_version_gives_the_same_bytes_in_any_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = ReportContent(samples.snapshot(), SHA256)
    inputs = content.template_inputs("{}")
    await _render(TEMPLATE, tmp_path / "one.pdf", inputs)
    monkeypatch.setenv("TZ", "Asia/Taipei")
    monkeypatch.setenv("LC_ALL", "zh_TW.Big5")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    time.tzset()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    pages = await _render(TEMPLATE, tmp_path / "elsewhere" / "two.pdf", inputs)

    monkeypatch.undo()
    time.tzset()
    left_behind = tmp_path.iterdir()  # noqa: ASYNC240 - a test may look at a folder
    assert pages > 5
    one = (tmp_path / "one.pdf").read_bytes()
    assert one == (tmp_path / "elsewhere" / "two.pdf").read_bytes()
    assert {path.name for path in left_behind} == {"elsewhere", "one.pdf"}


async def test_failing_template_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "t.typ").write_text("#let a = none\n#a.missing")

    with pytest.raises(TypesettingError, match=r"t\.typ"):
        await _render(tmp_path / "t.typ", tmp_path / "t.pdf", {})

    assert not (tmp_path / "t.pdf").exists()


async def test_endless_document_is_killed_after_the_timeout(tmp_path: Path) -> None:
    (tmp_path / "t.typ").write_text(
        "#let n = 0\n#for i in range(100000) { for j in range(100000) { n += j } }"
    )
    started_s = time.monotonic()

    with pytest.raises(TypesettingTimeoutError):
        await _render(tmp_path / "t.typ", tmp_path / "t.pdf", {}, timeout_s=0.3)

    assert time.monotonic() - started_s < 5


async def test_template_cannot_read_outside_its_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "t.typ").write_text('#read("../secret.txt")')

    with pytest.raises(TypesettingError):
        await _render(root / "t.typ", tmp_path / "t.pdf", {})


async def test_description_names_what_decides_the_bytes() -> None:
    description = await PdfRenderer(font().file.parent, "Dossier").describe()

    assert description["typesetter"].startswith("typst 0.")
    assert description["finisher"].startswith("pikepdf ")
    assert description["font_family"] == "Noto Sans SC"
    assert description["font_sha256"] == font().sha256()


async def test_renderer_without_a_font_raises(tmp_path: Path) -> None:
    with pytest.raises(NoCjkFontError):
        await PdfRenderer(tmp_path, "Dossier").describe()
