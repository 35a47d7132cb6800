"""The end of a build in words: lines of text, each with a style for a terminal."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from dossier.cli.builder.folder import Refusal
from dossier.cli.builder.names import padded, plain, shown
from dossier.cli.builder.outcome import FORMULA_ITEM, Json, Outcome, TakenPaper

HEADINGS = {
    "blocking": ("Blocking findings", "bold red"),
    "warning": ("Warnings", "bold yellow"),
    "info": ("To know", "bold"),
}


class Line(NamedTuple):
    """One line of the summary; `style` is in the words of rich."""

    text: str
    style: str = ""


def summary(outcome: Outcome) -> Iterator[Line]:
    """Yield the summary; no name or text in it can begin a line of its own."""
    for line in _lines(outcome):
        yield line._replace(text=plain(line.text))


def _lines(outcome: Outcome) -> Iterator[Line]:
    """Yield state first, then what blocks, then the papers."""
    yield from _head(outcome)
    yield from _items(outcome)
    for severity in HEADINGS:
        yield from _findings(outcome, severity)
    yield from _papers(outcome)
    yield from _unread(outcome.unread())
    yield from _outputs(outcome)


def _head(outcome: Outcome) -> Iterator[Line]:
    product = outcome.snapshot["product"]
    names = " · ".join(filter(None, (product["name_zh"], product["name_en"])))
    code = f" ({product['code']})" if product["code"] else ""
    yield Line("")
    yield Line(f"{names}{code}, market {outcome.snapshot['market']}", "bold")
    yield Line(_version(outcome))


def _version(outcome: Outcome) -> str:
    number = outcome.snapshot["version_number"]
    mark = outcome.version_sha256[:12]
    if outcome.is_new_version:
        return f"Version {number}, new ({mark}…)"
    return f"Version {number} ({mark}…): nothing changed, so there is no new version"


def _items(outcome: Outcome) -> Iterator[Line]:
    count = outcome.snapshot["completeness"]
    yield Line("")
    yield Line(
        f"Items: {count['complete']} of {count['total']} complete"
        f" ({count['present']} present, {count['declared']} declared,"
        f" {count['waived']} waived, {count['not_applicable']} not applicable);"
        f" {count['stale']} stale, {count['missing']} missing",
        "bold",
    )
    for item in outcome.items_in("missing", "stale", "declared", "waived"):
        title = f"{item['title_zh']} {item['title_en']}"
        yield Line(f"  {item['state']:<8} {item['number']:>2}  {title}")


def _findings(outcome: Outcome, severity: str) -> Iterator[Line]:
    found = [entry for entry in outcome.findings() if entry["severity"] == severity]
    if not found:
        return
    heading, style = HEADINGS[severity]
    yield Line("")
    yield Line(f"{heading} ({len(found)})", style)
    for finding in found:
        yield from _finding(finding)
        if finding["item"] == FORMULA_ITEM:
            yield from _hindrances(outcome.formula_hindrances())


def _finding(finding: Json) -> Iterator[Line]:
    item = f"item {finding['item']}: " if finding["item"] else ""
    yield Line(f"  {item}{finding['message']['en']} [{finding['code']}]")
    yield Line(f"      {finding['message']['zh']}")
    where = " · ".join(filter(None, (finding["article"], _place(finding.get("place")))))
    if where:
        yield Line(f"      {where}", "dim")
    yield Line(f"      closed by: {finding['closes_by']['en']}", "dim")


def _hindrances(refused: Sequence[Refusal]) -> Iterator[Line]:
    for entry in refused:
        yield Line(f"      not imported: {shown(entry.name)}: {entry.reason}")


def _place(place: Json | None) -> str | None:
    if place is None:
        return None
    parts = (
        ("", shown(place["filename"])),
        ("page ", place.get("page")),
        ("sheet ", place.get("sheet")),
        ("cell ", place.get("cell")),
    )
    return ", ".join(f"{word}{value}" for word, value in parts if value)


def _papers(outcome: Outcome) -> Iterator[Line]:
    matched = list(outcome.matched())
    width = max((cell_len(shown(paper.name)) for paper, _ in matched), default=0)
    yield Line("")
    yield Line("Papers and the items they were matched to", "bold")
    for paper, entry in matched:
        note = outcome.notes.get(paper.document_id)
        match = _match(entry, note) + _encoding(paper.encoding) + _truly(paper)
        yield Line(f"  {padded(shown(paper.name), width)}  {match}")


def _encoding(encoding: str | None) -> str:
    """Name what is not the usual encoding: a person can see that it was told wrong."""
    is_usual = encoding is None or encoding.startswith("utf-8")
    return "" if is_usual else f" (text in {encoding})"


def _match(entry: Json | None, note: str | None) -> str:
    if entry is None:
        return f"no item: {note}" if note else "no item"
    items = ", ".join(str(number) for number in entry["items"])
    return f"item {items}: {entry['reason'] or entry['matched_by']}"


def _truly(paper: TakenPaper) -> str:
    return f"; its name is wrong, the content is {paper.truly}" if paper.truly else ""


def _unread(unread: Sequence[Refusal]) -> Iterator[Line]:
    if not unread:
        return
    yield Line("")
    yield Line("Could not be read", "bold yellow")
    for entry in unread:
        yield Line(f"  {shown(entry.name)}: {entry.reason}")


def _outputs(outcome: Outcome) -> Iterator[Line]:
    yield Line("")
    for name, path in outcome.outputs.items():
        yield Line(f"{name:<16}{path}", "bold green" if name == "pif.pdf" else "")
