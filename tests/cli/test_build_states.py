"""A build's items are present by what was read, or by what a person confirmed."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.factories.documents import pdf_bytes

from dossier.cli.builder.pipeline import BuildOptions, run_build
from dossier.cli.builder.result import BuildResult
from dossier.cli.builder.terminal import Stages
from dossier.core.settings import Settings

pytestmark = [pytest.mark.process, pytest.mark.slow]

NAMES = (
    "notification printout.pdf",
    "formula sheet.pdf",
    "label.pdf",
    "GMP certificate.pdf",
    "manufacturing process.pdf",
    "adverse effects.pdf",
    "product specification.pdf",
    "SDS.pdf",
    "toxicology profile.pdf",
    "stability test.pdf",
    "microbiology report.pdf",
    "preservative challenge test.pdf",
    "efficacy test.pdf",
    "packaging material.pdf",
    "safety assessment.pdf",
    "assessor credentials.pdf",
)
FACTS: dict[str, Any] = {
    "code": "RC-01",
    "name_zh": "玫瑰保濕面霜",
    "name_en": "Rose Moisture Cream",
    "category": "face_cream",
    "dosage_form": "cream",
    "use": "leave_on",
    "body_site": "face",
    "population": "adults",
    "intended_use": "moisturises",
    "usage": {"method": "spread", "amount": "0.8 g", "frequency": "twice a day"},
    "holder": {"name": "Rose Co.", "address": "5 Rose Street", "phone": "02-5550"},
    "sites": [{"step": "filling", "name": "Dawn Works", "address": "1 Harbour Road"}],
}


@pytest.fixture
def own_settings(settings: Settings, fresh_database: str) -> Settings:
    database = settings.database.model_copy(update={"url": fresh_database})
    return settings.model_copy(update={"database": database})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of blank pages with perfect names, and all facts of the product."""
    made = tmp_path / "papers"
    made.mkdir()
    for number, name in enumerate(NAMES):
        (made / name).write_bytes(pdf_bytes([""] * (number + 1)))
    write_facts(made)
    return made


def write_facts(folder: Path, **more: Any) -> None:
    text = yaml.safe_dump(FACTS | more, allow_unicode=True)
    (folder / "product.yaml").write_text(text, encoding="utf-8")


async def build(settings: Settings, folder: Path) -> BuildResult:
    options = BuildOptions(folder, folder.parent / "out", "tw")
    return await run_build(settings, options, Stages(None))


def numbers(result: BuildResult, *states: str) -> list[int]:
    return [item["number"] for item in result.items_in(*states)]


def confirmed(
    folder: Path, name: str, item: int, reason: str = "Read on paper."
) -> dict[str, Any]:
    return {
        "file": name,
        "sha256": sha256((folder / name).read_bytes()).hexdigest(),
        "item": item,
        "reason": reason,
        "by": "Lin Mei 林美",
        "on": date(2026, 11, 2),
    }


def stated(names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"file": name, "item": 4 + number} for number, name in enumerate(names)]


async def test_blank_pages_with_perfect_names_make_no_item_present(
    own_settings: Settings, folder: Path
) -> None:
    write_facts(folder, evidence=stated(NAMES[2:5]))

    result = await build(own_settings, folder)

    assert numbers(result, "present", "declared", "waived") == [1, 7]  # by the facts
    assert {4, 5, 6, 11, 12, 13} <= set(numbers(result, "unconfirmed"))
    counted = result.snapshot["completeness"]
    assert (counted["complete"], counted["unconfirmed"] + counted["missing"]) == (2, 14)


async def test_confirmed_files_count_until_they_change(
    own_settings: Settings, folder: Path
) -> None:
    label = confirmed(folder, "label.pdf", 4)
    challenge = confirmed(folder, "preservative challenge test.pdf", 13)
    write_facts(folder, confirmed=[label, challenge], as_of=date(2026, 11, 20))

    first = await build(own_settings, folder)
    (folder / "label.pdf").write_bytes(pdf_bytes([""] * 30))
    second = await build(own_settings, folder)

    assert {4, 13} <= set(numbers(first, "present"))
    [requirement] = first.snapshot["items"][3]["requirements"]
    [judgement] = requirement["judgements"]
    assert judgement["reason"]["en"] == "was confirmed by Lin Mei 林美 on 2026-11-02"
    assert first.snapshot["as_of"] == "2026-11-20"
    assert 13 in numbers(second, "present")
    assert 4 in numbers(second, "unconfirmed")
    found = [
        each["message"]["en"]
        for each in second.findings()
        if each["code"] == "confirmation-without-effect"
    ]
    assert len(found) == 1
    assert found[0].endswith("label.pdf has no effect: the file has changed since.")
