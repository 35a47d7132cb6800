"""What is handed to the typesetter and to machines, from one version alone."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dossier.reports import rules
from dossier.reports.constants import (
    FINDINGS_SCHEMA,
    INSPECTION_SCHEMA,
)
from dossier.reports.schemas import FindingsDocument
from dossier.reports.tasks.archive import Entry

TEMPLATE = Path(__file__).resolve().parents[1] / "data" / "pif.typ"
MARKETS = {"tw": "台灣 Taiwan"}

_PRODUCT_MEMBERS = ("id", "code", "name_zh", "name_en", "category")
_ITEM_MEMBERS = ("number", "article", "state")


@dataclass(frozen=True, slots=True)
class Manuscript:
    """One version as it was stored: the snapshot and its digest."""

    snapshot: dict[str, Any]
    sha256: str

    @property
    def title(self) -> str:
        """Both names of the product."""
        product = self.snapshot["product"]
        return rules.title_of(product["name_zh"], product["name_en"])

    @property
    def version_number(self) -> int:
        """The number of the version."""
        number: int = self.snapshot["version_number"]
        return number

    @property
    def timestamp(self) -> datetime:
        """When the version was made: the only time that the file knows."""
        return datetime.fromisoformat(self.snapshot["created_at"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings, blocking first."""
        return rules.ordered_findings(self.snapshot["findings"])

    def typesetter_inputs(self, findings_text: str) -> dict[str, Any]:
        """Return what the template reads."""
        return {
            "data": {
                "snapshot": self.snapshot | {"findings": []},
                "snapshot_sha256": self.sha256,
                "findings": self.findings,
                "market": MARKETS.get(self.snapshot["market"], ""),
                "title": self.title,
                "author": self.snapshot["product"]["holder"]["name"],
            },
            "findings": findings_text,
        }

    def findings_json(self) -> bytes:
        """Return `findings.json`, checked against its own schema."""
        document = FindingsDocument.model_validate(self._findings_members())
        return (document.model_dump_json(exclude_unset=True, indent=2) + "\n").encode()

    def snapshot_json(self) -> bytes:
        """Return the version itself, in one order of members."""
        return _json(self.snapshot)

    def manifest_json(
        self, renderer: dict[str, str], originals: list[Entry], made: list[Entry]
    ) -> bytes:
        """Return the manifest: what lies in the archive, and what made it."""
        evidence = self.snapshot["evidence"]
        return _json(
            {
                "schema": INSPECTION_SCHEMA,
                "market": self.snapshot["market"],
                "product": self._product(),
                "version_number": self.version_number,
                "version_sha256": self.sha256,
                "created_at": self.snapshot["created_at"],
                "generator": self.snapshot["generator"],
                "renderer": renderer,
                "files": [_entry(entry) for entry in made]
                + [
                    _entry(entry)
                    | {
                        "document_id": paper["document_id"],
                        "filename": paper["filename"],
                        "items": paper["items"],
                    }
                    for entry, paper in zip(originals, evidence, strict=True)
                ],
            }
        )

    def _findings_members(self) -> dict[str, Any]:
        kept = ("market", "version_number", "created_at", "completeness", "generator")
        return {name: self.snapshot[name] for name in kept} | {
            "schema": FINDINGS_SCHEMA,
            "version_sha256": self.sha256,
            "product": self._product(),
            "items": [_item(item) for item in self.snapshot["items"]],
            "findings": self.findings,
        }

    def _product(self) -> dict[str, Any]:
        product = self.snapshot["product"]
        return {name: product[name] for name in _PRODUCT_MEMBERS}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    title = {"zh": item["title_zh"], "en": item["title_en"]}
    return {name: item[name] for name in _ITEM_MEMBERS} | {"title": title}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "size_bytes": entry.size_bytes,
        "sha256": entry.sha256,
    }


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2)
    return (text + "\n").encode()
