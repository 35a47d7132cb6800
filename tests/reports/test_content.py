"""The files of a report that are made from a version without typesetting."""

import hashlib
import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.reports import samples

from dossier.reports.archive import ArchiveEntry
from dossier.reports.content import TEMPLATE, ReportContent
from dossier.reports.schemas import FindingsDocument, findings_schema

SHA256 = hashlib.sha256(b"version").hexdigest()
SCHEMA_FILE = TEMPLATE.parent / "findings.schema.json"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "findings-schema.md"


def test_findings_json_holds_state_and_findings_blocking_first() -> None:
    document = json.loads(ReportContent(samples.snapshot(), SHA256).findings_json())

    assert document["schema"] == "dossier.findings/2"
    assert document["version_sha256"] == SHA256
    assert document["completeness"]["complete"] == 12
    assert [item["state"] for item in document["items"]][:5] == [
        "present",
        "present",
        "present",
        "present",
        "declared",
    ]
    assert [finding["code"] for finding in document["findings"]] == [
        "total-not-100",
        "missing-item",
        "cas-check-digit",
        "missing-item",
        "unreadable-document",
    ]
    assert document["findings"][0]["value"] == "98.7"
    assert document["findings"][0]["place"]["cell"] == "F21"
    assert "value" not in document["findings"][1]


def test_findings_json_of_an_earlier_version_keeps_its_bytes() -> None:
    content = ReportContent(samples.earlier_snapshot(), SHA256).findings_json()

    assert json.loads(content)["schema"] == "dossier.findings/1"
    assert hashlib.sha256(content).hexdigest() == (
        "fca7f6cd97b01c5b8c0d8272052e01c3ca50930946d4d34a3e0e9ef78ce77782"
    )


def test_findings_json_is_the_same_each_time() -> None:
    snapshot = samples.snapshot()
    turned = dict(reversed(snapshot.items()))

    one = ReportContent(snapshot, SHA256).findings_json()

    assert one == ReportContent(turned, SHA256).findings_json()


def test_finding_that_breaks_the_schema_is_refused() -> None:
    snapshot = samples.snapshot(findings=[samples.finding(value=98.7)])

    with pytest.raises(ValidationError):
        ReportContent(snapshot, SHA256).findings_json()


def test_published_schema_is_that_of_the_code() -> None:
    published = json.loads(SCHEMA_FILE.read_text())

    assert published == json.loads(json.dumps(findings_schema()))


def test_every_member_of_findings_json_is_documented() -> None:
    words = DOCS.read_text()

    def members(schema: dict[str, object]) -> set[str]:
        definitions = schema["$defs"]
        assert isinstance(definitions, dict)
        parts = [schema, *definitions.values()]
        return {name for part in parts for name in part.get("properties", {})}

    missing = [name for name in members(findings_schema()) if f"`{name}`" not in words]
    assert missing == []


def test_the_example_in_the_documentation_is_valid() -> None:
    example = DOCS.read_text().split("```json\n")[1].split("```")[0]

    FindingsDocument.model_validate_json(example)


def test_the_manifest_names_every_file_and_what_made_them() -> None:
    content = ReportContent(samples.snapshot(), SHA256)
    made = [ArchiveEntry("pif.pdf", 3, "a" * 64)]
    originals = [
        ArchiveEntry(f"originals/{i}", 1, paper["sha256"])
        for i, paper in enumerate(samples.evidence())
    ]

    manifest = json.loads(
        content.manifest_json({"typesetter": "typst"}, originals, made)
    )

    assert manifest["schema"] == "dossier.inspection/1"
    assert manifest["renderer"] == {"typesetter": "typst"}
    assert manifest["version_sha256"] == SHA256
    assert [entry["path"] for entry in manifest["files"]][:2] == [
        "pif.pdf",
        "originals/0",
    ]
    assert manifest["files"][1]["filename"] == "配方表 formula.xlsx"
    assert manifest["files"][1]["items"] == [3]


def test_template_inputs_hold_the_findings_once() -> None:
    inputs = ReportContent(samples.snapshot(), SHA256).template_inputs("{}")

    assert inputs["data"]["snapshot"]["findings"] == []
    assert len(inputs["data"]["findings"]) == 5
