"""What a build found: as a value, as JSON for programs, as a summary for people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.cells import cell_len

from dossier.cli.builder.terminal import display_name, escaped, padded
from dossier.cli.builder.types import (
    FORMULA_ITEM,
    ChosenFormula,
    ImportedDocument,
    RefusedFile,
)
from dossier.pif.constants import JudgementCode
from dossier.pif.rules.changes import composition_sha256
from dossier.products.service.products import formula_content
from dossier.reports.rules import ordered_findings

BUILD_SCHEMA: Final = "dossier.build/1"

_COMPLETE: Final = ("present", "declared", "waived", "not_applicable")
_COUNTING: Final = ("present", "declared")
"""States of a document that meets a requirement."""

_NOT_WORTH_A_LINE: Final = ("small-picture-not-read", "small-pictures")
"""Logos and the like: they stand in the JSON and on the board."""

_MAX_ENTRIES: Final = 12
_MAX_REMARKS: Final = 3
_MAX_IN_FULL: Final = 5
"""Of more findings, each takes one line; `findings.json` and the PDF say all of it."""

_NOTE_KINDS: Final = {"chosen": "chosen", "left_out": "not read", "assumed": "assumed"}

HEADINGS = {
    "blocking": ("Blocking findings", "bold red"),
    "warning": ("Warnings", "bold yellow"),
    "info": ("To know", "bold"),
}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The result of one build; `snapshot` is the version's immutable content.

    `notes` say why documents were matched to no item, by document id.
    """

    snapshot: Json
    version_sha256: str
    is_new_version: bool
    imported: tuple[ImportedDocument, ...]
    refused: tuple[RefusedFile, ...]
    formula: ChosenFormula = ChosenFormula()  # noqa: RUF009 - it is frozen
    notes: Mapping[str, str]
    outputs: Mapping[str, Path]
    seconds: Mapping[str, float]

    def findings(self) -> Sequence[Json]:
        """Return the findings in the order in which they are printed."""
        return ordered_findings(self.snapshot["findings"])

    def items_in(self, *states: str) -> list[Json]:
        """Return the items in one of these states, in their order."""
        return [item for item in self.snapshot["items"] if item["state"] in states]

    def blocked_items(self) -> list[Json]:
        """Return the items that are complete but for a blocking finding."""
        blocking = {
            each["item"]
            for each in self.snapshot["findings"]
            if each["severity"] == "blocking"
        }
        return [
            item for item in self.items_in(*_COMPLETE) if item["number"] in blocking
        ]

    def judgements(self, document_id: str) -> list[tuple[Json, Json, Json]]:
        """Return each judgement of a document with its item and its requirement."""
        return [
            (item, requirement, judgement)
            for item in self.snapshot["items"]
            for requirement in item.get("requirements", ())
            for judgement in requirement["judgements"]
            if judgement["document_id"] == document_id
        ]

    def matched(self) -> Iterator[tuple[ImportedDocument, Json | None]]:
        """Yield each document with its evidence entry, or `None` without an item."""
        evidence = {entry["document_id"]: entry for entry in self.snapshot["evidence"]}
        for document in self.imported:
            yield document, evidence.get(document.document_id)

    def formula_obstacles(self) -> list[RefusedFile]:
        """Return why no formula was imported, of each file that should hold it."""
        if self.snapshot["formula"] is not None:
            return []
        refused = [*self.formula.refused]
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
        refused = (*self.formula.refused, *self.refused)
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
        "schema": BUILD_SCHEMA,
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
        "formula": snapshot["formula"]
        and {
            "file": result.formula.name,
            "sheet": snapshot["formula"]["sheet"],
            "lines": len(snapshot["formula"]["lines"]),
            "notes": result.formula.notes,
        },
        "papers": [
            _document_json(result, document, entry)
            for document, entry in result.matched()
        ],
        "unread": [
            {"name": entry.name, "reason": entry.reason} for entry in result.unread()
        ],
        "outputs": {name: str(path) for name, path in result.outputs.items()},
        "seconds": dict(result.seconds),
    }


def _document_json(
    result: BuildResult, document: ImportedDocument, entry: Json | None
) -> dict[str, Any]:
    return {
        "name": document.name,
        "document_id": document.document_id,
        "duplicate": document.is_duplicate,
        "encoding": document.encoding,
        "misnamed": document.actual_type,
        "items": entry["items"] if entry else [],
        "matched_by": entry["matched_by"] if entry else None,
        "reason": entry["reason"] if entry else result.notes.get(document.document_id),
        "remarks": list(document_remarks(result, document, entry)),
    }


def document_remarks(
    result: BuildResult, document: ImportedDocument, entry: Json | None
) -> Iterator[str]:
    """Yield what a person should know of how a document was read and counted.

    A document that was read without anything left out, and counts, has no remark.
    """
    judged = result.judgements(document.document_id)
    if document.unreadable:
        left_open = [
            str(item["number"])
            for item, requirement, _ in judged
            if requirement["state"] == "unconfirmed"
        ]
        items = f"; item {', '.join(left_open)} stays unconfirmed" if left_open else ""
        yield f"not read: {document.unreadable}{items}"
    else:
        for item, requirement, judgement in judged:
            if judgement["state"] not in _COUNTING:
                yield _not_counting(result, item, requirement, judgement)
        is_formula = str(result.formula.document_id) == document.document_id
        if entry and not judged and not is_formula:
            items = ", ".join(map(str, entry["items"]))
            yield f"linked to item {items}, but counts for no requirement of it"
        yield from _reading_remarks(document)
    twins = (e.name for e in result.imported if e.document_id == document.document_id)
    if (first := next(twins)) != document.name:
        yield f"the same file as {display_name(first)}"
    for refused in result.formula.refused:
        if refused.name == document.name and not document.unreadable:
            yield f"not imported as the formula: {refused.reason}"
    # A guessed encoding is named, so that a person can see a wrong guess.
    if document.encoding and not document.encoding.startswith("utf-8"):
        yield f"read as text in {document.encoding}"
    if document.actual_type:
        yield f"its name is wrong, the content is {document.actual_type}"


def _not_counting(
    result: BuildResult, item: Json, requirement: Json, judgement: Json
) -> str:
    is_open = judgement["state"] == "unconfirmed"
    verb = "is unconfirmed" if is_open else "does not count"
    text = f"{verb} for item {item['number']}: {judgement['reason']['en']}"
    names = {each.document_id: each.name for each in result.imported}
    counting = [
        display_name(names[each["document_id"]])
        for each in requirement["judgements"]
        if each["state"] in _COUNTING and each["document_id"] in names
    ]
    return f"{text}; {', '.join(counting)} counts" if counting else text


def _reading_remarks(document: ImportedDocument) -> Iterator[str]:
    """Yield the warnings of a reading; equal ones of several pages are one remark."""
    places: dict[str, list[str]] = {}
    for warning in document.warnings:
        if warning["code"] not in _NOT_WORTH_A_LINE:
            pages = places.setdefault(warning["message"]["en"], [])
            pages.extend([warning["place"]] if warning["place"] else [])
    state = "read partly" if document.is_read_partly else "read"
    for text, pages in list(places.items())[:_MAX_REMARKS]:
        more = f" and {len(pages) - 1} more" if len(pages) > 1 else ""
        place = f" ({pages[0]}{more})" if pages else ""
        yield f"{state}{place}: {text}"
    if len(places) > _MAX_REMARKS:
        yield f"{len(places) - _MAX_REMARKS} more remarks on its reading"


def summary(result: BuildResult) -> Iterator[SummaryLine]:
    """Yield the state first, then the findings by severity, then the files.

    What is as it should be takes one line; what is not is listed. No name or text can
    begin a line of its own.
    """
    parts = (
        _version_lines(result),
        _item_lines(result),
        *(_finding_lines(result, severity) for severity in HEADINGS),
        _confirmation_lines(result),
        _formula_lines(result),
        _document_lines(result),
    )
    for line in chain.from_iterable(parts):
        yield line._replace(text=escaped(line.text))
    yield SummaryLine("")
    for folder in sorted({path.parent for path in result.outputs.values()}):
        names = [path.name for path in result.outputs.values() if path.parent == folder]
        text = f"Written to {folder}: {', '.join(names)}"
        yield SummaryLine(escaped(text), "bold green")


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
        f"Items: {count['complete']} complete + {count['blocked']} blocked"
        f" + {count['unconfirmed']} unconfirmed + {count['stale']} stale"
        f" + {count['missing']} missing = {count['total']}",
        "bold",
    )
    states = {item["number"]: "blocked" for item in result.blocked_items()}
    for item in result.snapshot["items"]:
        state = states.get(item["number"], item["state"])
        if state in {"present", "not_applicable"}:
            continue
        title = f"{item['title_zh']} {item['title_en']}"
        yield SummaryLine(f"  {state:<11} {item['number']:>2}  {title}")


def _finding_lines(result: BuildResult, severity: str) -> Iterator[SummaryLine]:
    found = [entry for entry in result.findings() if entry["severity"] == severity]
    if not found:
        return
    heading, style = HEADINGS[severity]
    yield SummaryLine("")
    yield SummaryLine(f"{heading} ({len(found)})", style)
    obstacles = result.formula_obstacles()
    is_long = len(found) > _MAX_IN_FULL
    causes = {entry.get("id"): entry["code"] for entry in result.findings()}
    for finding in found:
        item = f"item {finding['item']}: " if finding["item"] else ""
        text = f"  {item}{finding['message']['en']} [{finding['code']}]"
        place = _place(finding.get("place"))
        closed_by = f"closed by: {finding['closes_by']['en']}"
        if finding.get("caused_by"):
            cause = causes.get(finding["caused_by"], "another finding")
            yield SummaryLine(f"{text} (follows from {cause})")
        elif is_long or finding["code"] == "missing-item":  # its title stands above
            yield SummaryLine(" · ".join(filter(None, (text, place, closed_by))))
        else:
            where = " · ".join(filter(None, (place, finding["article"], closed_by)))
            yield SummaryLine(text)
            yield SummaryLine(f"      {finding['message']['zh']}")
            yield SummaryLine(f"      {where}", "dim")
        for entry in obstacles if finding["item"] == FORMULA_ITEM else ():
            name = display_name(entry.name)
            yield SummaryLine(f"      not imported: {name}: {entry.reason}")


def _confirmation_lines(result: BuildResult) -> Iterator[SummaryLine]:
    """Yield the lines of product.yaml with which a person confirms open documents.

    `reason`, `by` and `on` are empty: without them product.yaml is refused.
    """
    entries = list(_open_confirmations(result))
    if not entries:
        return
    yield SummaryLine("")
    heading = "Whoever has read these papers and answers for them adds to product.yaml:"
    yield SummaryLine(f"{heading} confirmed:", "bold")
    for entry in entries[:_MAX_ENTRIES]:
        yield SummaryLine(f"  - {{{entry}, reason: , by: , on: }}", "dim")
    if len(entries) > _MAX_ENTRIES:
        yield SummaryLine(f"  # and {len(entries) - _MAX_ENTRIES} more")


def _open_confirmations(result: BuildResult) -> Iterator[str]:
    """Yield what is known of each confirmation that would close something."""
    names = {each.document_id: each.name for each in result.imported}
    hashes = {e["document_id"]: e["sha256"] for e in result.snapshot["evidence"]}
    for item in result.snapshot["items"]:
        for requirement in item.get("requirements", ()):
            if requirement["state"] not in {"unconfirmed", "stale"}:
                continue
            for judgement in requirement["judgements"]:
                key = judgement["document_id"]
                is_changed = judgement["code"] == JudgementCode.FORMULA_CHANGED
                is_open = is_changed or judgement["state"] == "unconfirmed"
                if is_open and key in names and key in hashes:
                    formula = ""
                    if is_changed:
                        formula = f', formula: "{_composition(result)}"'
                    yield (
                        f"file: {json.dumps(names[key], ensure_ascii=False)}"
                        f", item: {item['number']}, requirement: {requirement['code']}"
                        f", sha256: {hashes[key]}{formula}"
                    )


def _composition(result: BuildResult) -> str:
    """Return the first digits of the hash of the formula's composition."""
    content = formula_content(
        (
            line["inci"] or line["cas"] or line["trade_name"],
            Decimal(line["percent_lower"]),
            Decimal(line["percent_upper"]) if line["percent_upper"] else None,
            line["is_qs"],
        )
        for line in result.snapshot["formula"]["lines"]
    )
    return composition_sha256(content)[:12]


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


def _formula_lines(result: BuildResult) -> Iterator[SummaryLine]:
    """Yield which file and sheet were read as the formula, and what was decided."""
    formula = result.snapshot["formula"]
    if formula is None:
        return
    sheet = f", sheet {formula['sheet']}" if formula["sheet"] else ""
    text = f"Formula: {display_name(result.formula.name)}{sheet}"
    if result.formula.document_id is None:
        text = (
            f"Formula: version {formula['number']} of an earlier import"
            f" ({display_name(formula['filename'] or '')}); this folder holds none"
        )
    elif formula["lines"]:
        text += f", {len(formula['lines'])} lines"
    else:
        text = "Formula: not decided, no line was read"
    yield SummaryLine("")
    yield SummaryLine(text, "bold")
    for kind, word in _NOTE_KINDS.items():
        texts = [note["en"] for note in result.formula.notes if note["kind"] == kind]
        if texts:
            yield SummaryLine(f"  {word:<8}  {' '.join(texts)}")


def _document_lines(result: BuildResult) -> Iterator[SummaryLine]:
    """Yield one line for all papers that count as they are, and one for each other."""
    counted: list[tuple[list[int], str]] = []
    others: list[tuple[str, str]] = []
    seen: set[str] = set()  # a copy of a file does not count twice
    total = 0
    for document, entry in result.matched():
        name = display_name(document.name)
        remarks = [*document_remarks(result, document, entry)]
        if entry is None:
            note = result.notes.get(document.document_id)
            remarks.insert(0, f"no item: {note}" if note else "no item")
        items = {
            item["number"]
            for item, _, judgement in result.judgements(document.document_id)
            if judgement["state"] in _COUNTING and document.document_id not in seen
        }
        seen.add(document.document_id)
        if remarks and items:
            remarks.insert(0, f"counts for item {', '.join(map(str, sorted(items)))}")
        total += bool(items) or not remarks
        if remarks:
            others.append((name, "; ".join(remarks)))
        elif entry is not None:
            counted.append((entry["items"], name))
    others += [
        (display_name(entry.name), f"not read: {entry.reason}")
        for entry in result.refused
    ]
    width = max((cell_len(name) for name, _ in others), default=0)
    yield SummaryLine("")
    yield SummaryLine(
        f"Papers ({len(counted) + len(others)}): {total} were read and count",
        "bold",
    )
    if counted:
        shown = [
            f"{', '.join(map(str, items))} {name}" for items, name in sorted(counted)
        ]
        yield SummaryLine(f"  by item: {' · '.join(shown)}")
    for name, text in others:
        yield SummaryLine(f"  {padded(name, width)}  {text}")
