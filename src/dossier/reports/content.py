"""The content of a report for the template and for programs, from one version alone."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dossier.reports import rules
from dossier.reports.archive import ArchiveEntry
from dossier.reports.constants import (
    EARLIER_FINDINGS_SCHEMA,
    EARLIER_SNAPSHOT_SCHEMA,
    FINDINGS_SCHEMA,
    INSPECTION_SCHEMA,
)
from dossier.reports.schemas import EarlierFindingsDocument, FindingsDocument

TEMPLATE = Path(__file__).resolve().parent / "data" / "pif.typ"
MARKET_NAMES = {"tw": "台灣 Taiwan"}

_PRODUCT_MEMBERS = ("id", "code", "name_zh", "name_en", "category")
_FORMULA_MEMBERS = ("number", "sheet", "filename", "notes")
_ITEM_MEMBERS = ("number", "article", "state")


@dataclass(frozen=True, slots=True)
class ReportContent:
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
        """When the version was made: no other time appears in the file."""
        return datetime.fromisoformat(self.snapshot["created_at"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings, blocking first."""
        return rules.ordered_findings(self.snapshot["findings"])

    def template_inputs(self, findings_text: str) -> dict[str, Any]:
        """Return what the template reads."""
        snapshot, findings = self.snapshot, self.findings
        return {
            "data": {
                "snapshot": snapshot
                | {
                    "findings": [],
                    "items": self._items(),
                    "formula": self._composition(),
                    "evidence": self._evidence(),
                },
                "snapshot_sha256": self.sha256,
                "findings": findings,
                "status": rules.status_of(snapshot["completeness"], findings),
                "market": MARKET_NAMES.get(snapshot["market"], ""),
                "title": self.title,
                "author": snapshot["product"]["holder"]["name"],
            },
            "findings": findings_text,
        }

    @property
    def original_paths(self) -> list[str]:
        """The paths of the originals in the archive, in the order of the evidence."""
        return rules.original_paths(self.snapshot)

    def _evidence(self) -> list[dict[str, Any]]:
        """Return the documents with what was read in them and why they are here."""
        return [
            document
            | {
                "items": items,
                "facts": rules.facts_shown(document),
                "matching": rules.matching_words(document),
                "path": path,
            }
            for document, items, path in zip(
                self.snapshot["evidence"],
                rules.items_served(self.snapshot),
                self.original_paths,
                strict=True,
            )
        ]

    def _items(self) -> list[dict[str, Any]]:
        """Return the items with the state that is shown and the numbers of findings.

        A version from before there was `blocked` shows its states as it counted them.
        """
        findings = self.findings
        blocking = findings if "blocked" in self.snapshot["completeness"] else []
        return [
            item
            | {
                "state": rules.state_shown(item, blocking),
                "findings": [
                    number
                    for number, finding in enumerate(findings, start=1)
                    if finding["item"] == item["number"]
                ],
            }
            for item in self.snapshot["items"]
        ]

    def _composition(self) -> dict[str, Any] | None:
        formula: dict[str, Any] | None = self.snapshot["formula"]
        if formula is None:
            return None
        of_lines, others = rules.findings_of_lines(formula, self.findings)
        lines = [
            line | {"findings": of_lines.get(line["position"], [])}
            for line in formula["lines"]
        ]
        return formula | {"lines": lines, "findings": others}

    def findings_json(self) -> bytes:
        """Return `findings.json`, checked against the schema of the version."""
        kept = ("market", "version_number", "created_at", "completeness", "generator")
        is_earlier = self.snapshot["schema"] == EARLIER_SNAPSHOT_SCHEMA
        shape = EarlierFindingsDocument if is_earlier else FindingsDocument
        members = {name: self.snapshot[name] for name in kept} | {
            "schema": EARLIER_FINDINGS_SCHEMA if is_earlier else FINDINGS_SCHEMA,
            "version_sha256": self.sha256,
            "product": self._product(),
            "items": [
                {name: item[name] for name in _ITEM_MEMBERS}
                | {"title": {"zh": item["title_zh"], "en": item["title_en"]}}
                for item in self.snapshot["items"]
            ],
            "findings": self.findings,
        }
        if "status" in self.snapshot["completeness"]:
            members["formula"] = self._formula()
        document = shape.model_validate(members)
        return (document.model_dump_json(exclude_unset=True, indent=2) + "\n").encode()

    def index_text(self) -> bytes:
        """Return the list of originals by item, for a person."""
        return rules.archive_index(self.snapshot).encode()

    def snapshot_json(self) -> bytes:
        """Return the version itself, in one order of members."""
        return _json(self.snapshot)

    def manifest_json(
        self,
        renderer: dict[str, str],
        originals: list[ArchiveEntry],
        made: list[ArchiveEntry],
    ) -> bytes:
        """Return the manifest: the files of the archive, and what made it."""
        evidence = zip(
            self.snapshot["evidence"], rules.items_served(self.snapshot), strict=True
        )
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
                "files": [asdict(entry) for entry in made]
                + [
                    asdict(entry)
                    | {
                        "document_id": document["document_id"],
                        "filename": document["filename"],
                        "items": items,
                    }
                    for entry, (document, items) in zip(
                        originals, evidence, strict=True
                    )
                ],
            }
        )

    def _formula(self) -> dict[str, Any] | None:
        formula = self.snapshot["formula"]
        return formula and {name: formula[name] for name in _FORMULA_MEMBERS}

    def _product(self) -> dict[str, Any]:
        product = self.snapshot["product"]
        return {name: product[name] for name in _PRODUCT_MEMBERS}


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2)
    return (text + "\n").encode()
