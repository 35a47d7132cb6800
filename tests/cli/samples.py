"""A small build result, as a build of two files would return it."""

from pathlib import Path
from typing import Any
from uuid import UUID

from dossier.cli.builder.result import BuildResult
from dossier.cli.builder.types import ChosenFormula, ImportedDocument, RefusedFile


def finding(code: str, severity: str, item: int, **members: Any) -> dict[str, Any]:
    return {
        "code": code,
        "severity": severity,
        "market": "tw",
        "item": item,
        "article": f"PIF Reg. Art. 3(1)({item})",
        "message": {"zh": f"{code} 說明", "en": f"{code} in words"},
        "closes_by": {"zh": "補件", "en": f"a paper for item {item}"},
        **members,
    }


def item(number: int, state: str, *judgements: dict[str, Any]) -> dict[str, Any]:
    """Return an item with one requirement, judged by these documents."""
    requirement = {"code": f"tw-{number}", "state": state, "judgements": judgements}
    return {
        "number": number,
        "title_zh": f"項目{number}",
        "title_en": f"Item {number}",
        "state": state,
        "requirements": [requirement],
    }


def judgement(
    document_id: str, state: str | None, reason: str, code: str = "read"
) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "state": state,
        "code": code,
        "reason": {"en": reason},
    }


def snapshot() -> dict[str, Any]:
    return {
        "market": "tw",
        "version_number": 2,
        "product": {
            "id": "p1",
            "code": "RC-1",
            "name_zh": "玫瑰面霜",
            "name_en": "Rose Cream",
        },
        "completeness": {
            "present": 13, "declared": 1, "waived": 0, "not_applicable": 0,
            "stale": 0, "unconfirmed": 0, "missing": 2, "blocked": 1,
            "complete": 13, "total": 16,
        },
        "formula": {"number": 1, "sheet": "配方", "lines": [{}, {}]},
        "items": [
            item(3, "present", judgement("d1", "present", "was read")),
            item(5, "declared"), item(14, "missing"),
        ],
        "findings": [
            finding("missing-item", "warning", 14),
            finding("note", "info", 1),
            finding(
                "negative-rest",
                "blocking",
                3,
                place={
                    "filename": "formula.xlsx",
                    "sha256": "ab",
                    "sheet": "配方",
                    "cell": "D7",
                },
            ),
        ],
        "evidence": [
            {
                "document_id": "d1",
                "sha256": "5" * 64,
                "items": [3],
                "matched_by": "stated",
                "reason": "stated in product.yaml",
            }
        ],
    }  # fmt: skip


def build_result(**overrides: Any) -> BuildResult:
    values: dict[str, Any] = {
        "snapshot": snapshot(),
        "version_sha256": "3f2a9c01b7e45d",
        "is_new_version": True,
        "imported": (
            ImportedDocument(
                name="formula.xlsx",
                document_id="d1",
                is_duplicate=False,
                unreadable=None,
                encoding="big5",
            ),
            ImportedDocument(
                name="tests/locked.pdf",
                document_id="d2",
                is_duplicate=False,
                unreadable="encrypted: a password is needed",
            ),
        ),
        "refused": (RefusedFile("leak.pdf", "a symbolic link that leads out"),),
        "formula": ChosenFormula(UUID(int=1), "formula.xlsx"),
        "notes": {"d2": "no known word in the file name or the text"},
        "outputs": {"pif.pdf": Path("build/demo/pif.pdf")},
        "seconds": {"reading": 1.5},
    }
    return BuildResult(**values | overrides)
