"""What a build found: as a value, as JSON for programs, as a summary for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.cells import cell_len

from dossier.cli.builder.terminal import display_name, escaped, padded
from dossier.cli.builder.types import FORMULA_ITEM, ImportedDocument, RefusedFile
from dossier.reports.rules import ordered_findings

SCHEMA: Final = "dossier.build/1"

HEADINGS = {
    "blocking": ("Blocking findings", "bold red"),
    "warning": ("Warnings", "bold yellow"),
    "info": ("To know", "bold"),
}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The result of one build; `snapshot` is the version's immutable content.

    `formula_refused` are files that were read, but not as the formula. `notes` say
    why documents were matched to no item, by document id.
    """

    snapshot: Json
    version_sha256: str
    is_new_version: bool
    imported: tuple[ImportedDocument, ...]
    refused: tuple[RefusedFile, ...]
    formula_refused: tuple[RefusedFile, ...] = ()
    notes: Mapping[str, str]
    outputs: Mapping[str, Path]
    seconds: Mapping[str, float]

    def findings(self) -> Sequence[Json]:
        """Return the findings in the order in which they are printed."""
        return ordered_findings(self.snapshot["findings"])

    def items_in(self, *states: str) -> list[Json]:
        """Return the items in one of these states, in their order."""
        return [item for item in self.snapshot["items"] if item["state"] in states]

    def matched(self) -> Iterator[tuple[ImportedDocument, Json | None]]:
        """Yield each document with its evidence entry, or `None` without an item."""
        evidence = {entry["document_id"]: entry for entry in self.snapshot["evidence"]}
        for document in self.imported:
            yield document, evidence.get(document.document_id)

    def formula_obstacles(self) -> list[RefusedFile]:
        """Return why no formula was imported, of each file that should hold it."""
        if self.snapshot["formula"] is not None:
            return []
        refused = [*self.formula_refused]
        names = {entry.name for entry in refused}
        linked = {
            document.name
            for document, entry in self.matched()
            if entry and FORMULA_ITEM in entry["items"]
        }
        return refused + [
            entry for entry in self.unread() if entry.name in linked - names
        ]

    def unread(self) -> list[RefusedFile]:
        """Return what was stored but not read, then what was not stored."""
        unreadable = {
            document.name: RefusedFile(document.name, document.unreadable)
            for document in self.imported
            if document.unreadable
        }
        refused = (*self.formula_refused, *self.refused)
        others = (entry for entry in refused if entry.name not in unreadable)
        return [*unreadable.values(), *others]


class SummaryLine(NamedTuple):
    """One line of the summary; `style` is a style of rich."""

    text: str
    style: str = ""


def result_json(result: BuildResult) -> dict[str, Any]:
    """Return the result for programs."""
    snapshot = result.snapshot
    return {
        "schema": SCHEMA,
        "product": {
            key: snapshot["product"][key]
            for key in ("id", "code", "name_zh", "name_en")
        },
        "market": snapshot["market"],
        "version": {
            "number": snapshot["version_number"],
            "sha256": result.version_sha256,
            "created": result.is_new_version,
        },
        "completeness": snapshot["completeness"],
        "items": [
            {key: item[key] for key in ("number", "title_zh", "title_en", "state")}
            for item in snapshot["items"]
        ],
        "findings": result.findings(),
        "papers": [
            _document_json(document, entry, result.notes)
            for document, entry in result.matched()
        ],
        "unread": [
            {"name": entry.name, "reason": entry.reason} for entry in result.unread()
        ],
        "outputs": {name: str(path) for name, path in result.outputs.items()},
        "seconds": dict(result.seconds),
    }


def _document_json(
    document: ImportedDocument, entry: Json | None, notes: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "name": document.name,
        "document_id": document.document_id,
        "duplicate": document.is_duplicate,
        "encoding": document.encoding,
        "misnamed": document.actual_type,
        "items": entry["items"] if entry else [],
        "matched_by": entry["matched_by"] if entry else None,
        "reason": entry["reason"] if entry else notes.get(document.document_id),
    }


def summary(result: BuildResult) -> Iterator[SummaryLine]:
    """Yield the summary; no name or text in it can begin a line of its own."""
    for line in _summary_lines(result):
        yield line._replace(text=escaped(line.text))


def _summary_lines(result: BuildResult) -> Iterator[SummaryLine]:
    """Yield the state first, then the findings by severity, then the files."""
    yield from _version_lines(result)
    yield from _item_lines(result)
    for severity in HEADINGS:
        yield from _finding_lines(result, severity)
    yield from _document_lines(result)
    unread = result.unread()
    if unread:
        yield SummaryLine("")
        yield SummaryLine("Could not be read", "bold yellow")
    for entry in unread:
        yield SummaryLine(f"  {display_name(entry.name)}: {entry.reason}")
    yield SummaryLine("")
    for name, path in result.outputs.items():
        style = "bold green" if name == "pif.pdf" else ""
        yield SummaryLine(f"{name:<16}{path}", style)


def _version_lines(result: BuildResult) -> Iterator[SummaryLine]:
    product = result.snapshot["product"]
    names = " · ".join(filter(None, (product["name_zh"], product["name_en"])))
    code = f" ({product['code']})" if product["code"] else ""
    version = f"Version {result.snapshot['version_number']}"
    digest = f"({result.version_sha256[:12]}…)"
    yield SummaryLine("")
    yield SummaryLine(f"{names}{code}, market {result.snapshot['market']}", "bold")
    if result.is_new_version:
        yield SummaryLine(f"{version}, new {digest}")
    else:
        unchanged = "nothing changed, so there is no new version"
        yield SummaryLine(f"{version} {digest}: {unchanged}")


def _item_lines(result: BuildResult) -> Iterator[SummaryLine]:
    count = result.snapshot["completeness"]
    yield SummaryLine("")
    yield SummaryLine(
        f"Items: {count['complete']} of {count['total']} complete"
        f" ({count['present']} present, {count['declared']} declared,"
        f" {count['waived']} waived, {count['not_applicable']} not applicable);"
        f" {count['blocked']} blocked by a finding, {count['stale']} stale,"
        f" {count['unconfirmed']} unconfirmed, {count['missing']} missing",
        "bold",
    )
    for item in result.items_in(
        "missing", "unconfirmed", "stale", "declared", "waived"
    ):
        title = f"{item['title_zh']} {item['title_en']}"
        yield SummaryLine(f"  {item['state']:<11} {item['number']:>2}  {title}")


def _finding_lines(result: BuildResult, severity: str) -> Iterator[SummaryLine]:
    found = [entry for entry in result.findings() if entry["severity"] == severity]
    if not found:
        return
    heading, style = HEADINGS[severity]
    yield SummaryLine("")
    yield SummaryLine(f"{heading} ({len(found)})", style)
    obstacles = result.formula_obstacles()
    for finding in found:
        item = f"item {finding['item']}: " if finding["item"] else ""
        yield SummaryLine(f"  {item}{finding['message']['en']} [{finding['code']}]")
        yield SummaryLine(f"      {finding['message']['zh']}")
        place = _place(finding.get("place"))
        where = " · ".join(filter(None, (finding["article"], place)))
        if where:
            yield SummaryLine(f"      {where}", "dim")
        yield SummaryLine(f"      closed by: {finding['closes_by']['en']}", "dim")
        for entry in obstacles if finding["item"] == FORMULA_ITEM else ():
            name = display_name(entry.name)
            yield SummaryLine(f"      not imported: {name}: {entry.reason}")


def _place(place: Json | None) -> str | None:
    if place is None:
        return None
    labelled = (
        ("", display_name(place["filename"])),
        ("page ", place.get("page")),
        ("sheet ", place.get("sheet")),
        ("cell ", place.get("cell")),
    )
    return ", ".join(f"{label}{value}" for label, value in labelled if value)


def _document_lines(result: BuildResult) -> Iterator[SummaryLine]:
    matched = list(result.matched())
    names = [display_name(document.name) for document, _ in matched]
    width = max(map(cell_len, names), default=0)
    yield SummaryLine("")
    yield SummaryLine("Papers and the items they were matched to", "bold")
    for name, (document, entry) in zip(names, matched, strict=True):
        note = result.notes.get(document.document_id)
        if entry is not None:
            items = ", ".join(str(number) for number in entry["items"])
            text = f"item {items}: {entry['reason'] or entry['matched_by']}"
        else:
            text = f"no item: {note}" if note else "no item"
        # A guessed encoding is named, so that a person can see a wrong guess.
        if document.encoding and not document.encoding.startswith("utf-8"):
            text += f" (text in {document.encoding})"
        if document.actual_type:
            text += f"; its name is wrong, the content is {document.actual_type}"
        yield SummaryLine(f"  {padded(name, width)}  {text}")
