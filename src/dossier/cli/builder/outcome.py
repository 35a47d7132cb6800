"""What a build found, as plain values: for the summary and for machines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dossier.cli.builder.folder import Refusal
from dossier.reports.rules import ordered_findings

SCHEMA: Final = "dossier.build/1"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPaper:
    """A paper that was taken in, by its path in the folder.

    `truly` is the type of the content where the name says another one.
    """

    name: str
    document_id: str
    is_known: bool
    truly: str | None = None
    unreadable: str | None
    encoding: str | None = None
    """Of a text file whose bytes had to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one build; `snapshot` is the version's immutable content."""

    snapshot: Json
    version_sha256: str
    is_new_version: bool
    taken: tuple[TakenPaper, ...]
    refused: tuple[Refusal, ...]
    notes: Mapping[str, str]
    """Why papers were matched to no item, by document id."""
    outputs: Mapping[str, Path]
    seconds: Mapping[str, float]

    def findings(self) -> Sequence[Json]:
        """Return the findings in the order in which they are printed."""
        return ordered_findings(self.snapshot["findings"])

    def items_in(self, *states: str) -> list[Json]:
        """Return the items in one of these states, in their order."""
        return [item for item in self.snapshot["items"] if item["state"] in states]

    def matched(self) -> Iterator[tuple[TakenPaper, Json | None]]:
        """Yield each paper with its evidence entry, where an item took it."""
        evidence = {entry["document_id"]: entry for entry in self.snapshot["evidence"]}
        for paper in self.taken:
            yield paper, evidence.get(paper.document_id)

    def unread(self) -> list[Refusal]:
        """Return what was stored but not read, then what was not taken in."""
        unreadable = {
            paper.name: Refusal(paper.name, paper.unreadable)
            for paper in self.taken
            if paper.unreadable
        }
        others = (entry for entry in self.refused if entry.name not in unreadable)
        return [*unreadable.values(), *others]


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as machines read it."""
    snapshot = outcome.snapshot
    return {
        "schema": SCHEMA,
        "product": {
            key: snapshot["product"][key]
            for key in ("id", "code", "name_zh", "name_en")
        },
        "market": snapshot["market"],
        "version": {
            "number": snapshot["version_number"],
            "sha256": outcome.version_sha256,
            "created": outcome.is_new_version,
        },
        "completeness": snapshot["completeness"],
        "items": [
            {key: item[key] for key in ("number", "title_zh", "title_en", "state")}
            for item in snapshot["items"]
        ],
        "findings": outcome.findings(),
        "papers": [
            _paper_json(paper, entry, outcome.notes)
            for paper, entry in outcome.matched()
        ],
        "unread": [
            {"name": entry.name, "reason": entry.reason} for entry in outcome.unread()
        ],
        "outputs": {name: str(path) for name, path in outcome.outputs.items()},
        "seconds": dict(outcome.seconds),
    }


def _paper_json(
    paper: TakenPaper, entry: Json | None, notes: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "name": paper.name,
        "document_id": paper.document_id,
        "duplicate": paper.is_known,
        "encoding": paper.encoding,
        "misnamed": paper.truly,
        "items": entry["items"] if entry else [],
        "matched_by": entry["matched_by"] if entry else None,
        "reason": entry["reason"] if entry else notes.get(paper.document_id),
    }
