"""What the printed file derives from a version: states shown, facts, order, names.

All of it follows from the snapshot alone, so that a version always prints the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from dossier.core.findings import Severity
from dossier.pif.constants import COMPLETE_STATES

JsonObject = dict[str, Any]

_RANKS = {severity.value: rank for rank, severity in enumerate(Severity)}
_AFTER_ALL_ITEMS = 99
_NAME_BYTES = 200
_SUFFIX_BYTES = 20

MOST_QUOTED: Final = 240
"""Characters of a document's words that are printed under an item."""

_FACT_ORDER: Final = (
    "verdict", "method", "lot", "document_date", "issuer", "valid_from", "valid_until",
    "period_from", "period_until", "signature", "signer_name", "signed_on",
    "product_name", "product_code", "formula_code", "formula_version", "pack_version",
    "site", "company", "manufacture_date", "lot_expiry_date", "use_method",
    "body_site", "use_amount", "use_frequency", "population", "trade_name",
    "inci_name", "cas_number", "waiver_reason", "language",
)  # fmt: skip
"""The order in which facts are printed; a name that is not here comes last."""

_FACT_RANKS: Final = {name: rank for rank, name in enumerate(_FACT_ORDER)}

_IN_COMPOSITION: Final = frozenset(
    {"trade_name", "inci_name", "cas_number", "company", "site"}
)
"""Facts of a formula sheet that the composition shows line by line."""

_CODED: Final = frozenset({"verdict", "signature"})
"""Facts whose value is a code; their words are quoted beside it."""

_COMPOSITION_ITEM: Final = 3
_NAMES_OF_LINE: Final = ("inci", "trade_name", "cas")
_ROW: Final = re.compile(r"R(\d+)C\d+|[A-Z]+(\d+)")
_COUNT: Final = re.compile(r" \(\d+x\)")
_MATCH_WORDS: Final = {
    "file name contains ": ("檔名含有", "its file name has"),
    "content says ": ("內容載有", "its text says"),
}


def ordered_findings(findings: Iterable[JsonObject]) -> list[JsonObject]:
    """Return findings, blocking first, then by item; equals keep their order."""
    return sorted(
        findings,
        key=lambda finding: (
            _RANKS[finding["severity"]],
            finding["item"] or _AFTER_ALL_ITEMS,
        ),
    )


def state_shown(item: JsonObject, findings: Iterable[JsonObject]) -> str:
    """Return the state of an item; `blocked`: complete, but for a blocking finding."""
    state: str = item["state"]
    is_blocked = state in COMPLETE_STATES and any(
        finding["item"] == item["number"] and finding["severity"] == Severity.BLOCKING
        for finding in findings
    )
    return "blocked" if is_blocked else state


def status_of(completeness: Mapping[str, Any], findings: Iterable[JsonObject]) -> str:
    """Return how the whole file stands: `complete`, `open` or `blocked`."""
    if status := completeness.get("status"):
        return str(status)
    is_blocked = any(each["severity"] == Severity.BLOCKING for each in findings)
    if is_blocked or completeness["missing"] or completeness.get("blocked"):
        return "blocked"
    is_open = completeness["stale"] or completeness.get("unconfirmed")
    return "open" if is_open else "complete"


def facts_shown(document: JsonObject) -> list[JsonObject]:
    """Return what was read in a document, as rows of name, value, words and place.

    Values of one name that stand on the same pages share a row. `words` are those of
    the document, where the value is a code or a date that is printed otherwise there.
    """
    places: dict[tuple[str, str], tuple[str, list[int], list[str]]] = {}
    for fact in document.get("facts", ()):
        name = fact["name"]
        if document["kind"] == "formula" and name in _IN_COMPOSITION:
            continue
        raw = " ".join(fact["raw"].split())
        value = fact["value"] if name in _CODED or _is_date(name) else raw
        _, pages, cells = places.setdefault((name, value), (raw, [], []))
        if fact["page"] is not None and fact["page"] not in pages:
            pages.append(fact["page"])
        if (cell := fact.get("cell")) and cell not in cells:
            cells.append(cell)
    rows: list[JsonObject] = []
    for (name, value), (raw, pages, cells) in sorted(
        places.items(),
        key=lambda entry: _FACT_RANKS.get(entry[0][0], len(_FACT_RANKS)),
    ):
        is_quoted = name in _CODED or _is_date(name)
        words = shortened(raw, MOST_QUOTED) if is_quoted and raw != value else ""
        row = {
            "name": name,
            "value": value if name in _CODED else shortened(value, MOST_QUOTED),
            "words": words,
            "pages": sorted(pages),
            "cells": cells if not pages else [],
        }
        last = rows[-1] if rows else {}
        is_plain = name not in _CODED and not (words or cells)
        is_plain &= not (last.get("words") or last.get("cells"))
        if is_plain and last.get("name") == name and last["pages"] == row["pages"]:
            last["value"] += f"; {row['value']}"
        else:
            rows.append(row)
    return rows


def _is_date(name: str) -> bool:
    return name.endswith(("_date", "_on", "_from", "_until"))


def matching_words(document: JsonObject) -> dict[str, str]:
    """Return why a document stands at its items, in words of both languages.

    The stored reason is English, or what a person wrote: that is quoted.
    """
    reason = document["reason"] or ""
    if document["matched_by"] in {"stated", "user"}:
        is_own = reason and not reason.startswith(("stated ", "named in "))
        zh, en = "由人員指定", "Assigned by a person"
        quoted = shortened(reason, MOST_QUOTED)
        return {
            "zh": f"{zh}：{quoted}" if is_own else zh,
            "en": f"{en}: {quoted}" if is_own else en,
        }
    parts_zh, parts_en = [], []
    for part in filter(None, reason.split("; ")):
        start = next((each for each in _MATCH_WORDS if part.startswith(each)), "")
        zh, en = _MATCH_WORDS.get(start, ("", ""))
        said = _COUNT.sub("", " ".join(part[len(start) :].split())).replace("'", "")
        said = shortened(said, MOST_QUOTED)
        parts_zh.append(f"{zh}「{said}」" if zh else said)
        parts_en.append(f"{en} “{said}”" if en else said)
    zh, en = "，".join(parts_zh), "; ".join(parts_en)
    by_name = document["matched_by"] == "filename"
    return {
        "zh": zh or ("依檔名歸類" if by_name else "依內容歸類"),
        "en": en[:1].upper() + en[1:]
        or ("By its file name" if by_name else "By its content"),
    }


def findings_of_lines(
    formula: JsonObject, findings: Sequence[JsonObject]
) -> tuple[dict[int, list[int]], list[int]]:
    """Return the findings about each line of a formula, and those about no line.

    Findings are numbered from 1 in the given order, lines by their position. A finding
    is about the line whose cell it names, else about the lines of that row, else about
    the lines of its ingredient.
    """
    of_lines: dict[int, list[int]] = {}
    others = []
    for number, finding in enumerate(findings, start=1):
        positions = _lines_of(formula, finding)
        for position in positions:
            of_lines.setdefault(position, []).append(number)
        if not positions and finding["item"] == _COMPOSITION_ITEM:
            others.append(number)
    return of_lines, others


def _lines_of(formula: JsonObject, finding: JsonObject) -> list[int]:
    lines = formula["lines"]
    place = finding.get("place") or {}
    cell = place.get("cell")
    same_sheet = place.get("sheet") in {None, formula["sheet"]}
    if cell and same_sheet and place["sha256"] == formula["sha256"]:
        exact = [line["position"] for line in lines if line["cell"] == cell]
        row = _row_of(cell)
        return exact or [
            line["position"] for line in lines if row and _row_of(line["cell"]) == row
        ]
    named = (finding.get("ingredient") or "").casefold()
    return [
        line["position"]
        for line in lines
        if named and named in {(line[key] or "").casefold() for key in _NAMES_OF_LINE}
    ]


def _row_of(cell: str | None) -> str | None:
    found = _ROW.fullmatch(cell or "")
    return found and (found[1] or found[2])


def title_of(name_zh: str | None, name_en: str | None) -> str:
    """Return both names on one line; the Chinese one leads."""
    return " ".join(name for name in (name_zh, name_en) if name)


def shortened(text: str, most: int) -> str:
    """Return text of at most so many characters, with an ellipsis if it was longer."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def original_path(position: int, filename: str, items: Sequence[int]) -> str:
    """Return the path of an original in the archive: by item, numbered as it is cited.

    A document of several items lies at the first of them. The number makes equal names
    distinct. Folders and control characters are removed, so that no archive writes
    outside the folder it is unpacked to.
    """
    name = _file_name(_plain(re.split(r"[\\/]", filename)[-1])) or "document"
    folder = f"item-{min(items):02d}" if items else "no-item"
    return f"originals/{folder}/E{position:02d}_{name}"


def items_served(snapshot: JsonObject) -> list[list[int]]:
    """Return the items of each document of the evidence.

    A document linked to one item may also meet requirements of another: directions of
    use stand on the label.
    """
    served = {each["document_id"]: set(each["items"]) for each in snapshot["evidence"]}
    for item in snapshot["items"]:
        for requirement in item["requirements"]:
            for document_id in requirement["documents"]:
                if document_id in served:
                    served[document_id].add(item["number"])
    return [sorted(served[each["document_id"]]) for each in snapshot["evidence"]]


def original_paths(snapshot: JsonObject) -> list[str]:
    """Return the paths of the originals in the archive, in order of the evidence."""
    return [
        original_path(position, document["filename"], items)
        for position, (document, items) in enumerate(
            zip(snapshot["evidence"], items_served(snapshot), strict=True), start=1
        )
    ]


def archive_index(snapshot: JsonObject) -> str:
    """Return the list of the archive's originals by item, for a person."""
    product = snapshot["product"]
    title = _plain(title_of(product["name_zh"], product["name_en"]))
    number = snapshot["version_number"]
    lines = [
        f"產品資訊檔案 Product Information File: {title}",
        f"第 {number} 版 Version {number}",
        "文件依項目排列；一份文件用於多項時，置於第一項之資料夾。",
        "Papers by item; one that serves several lies in the folder of the first.",
    ]
    paths = list(zip(original_paths(snapshot), items_served(snapshot), strict=True))
    for item in snapshot["items"]:
        heading = f"{item['title_zh']} {item['title_en']}"
        lines += ["", f"{item['number']:>2}  {_plain(heading)}"]
        own = [path for path, items in paths if item["number"] in items]
        lines += [f"    {path}" for path in own] or ["    無文件 no paper"]
    other = [path for path, items in paths if not items]
    if other:
        lines += ["", "未歸入項目 At no item", *(f"    {path}" for path in other)]
    return "\n".join(lines) + "\n"


def download_name(title: str, version_number: int, file: str) -> str:
    """Return the name that a browser stores a file under."""
    stem = _file_name(_plain(re.sub(r"[\\/:*?\"<>|]", "-", title)))
    return f"{stem or 'PIF'} v{version_number} {file}"


def _plain(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    spaced = "".join(" " if letter.isspace() else letter for letter in composed)
    visible = "".join(filter(str.isprintable, spaced))
    return visible.strip(" .")


def _file_name(name: str) -> str:
    """Return a name short enough for a file system; its extension stays."""
    path = PurePosixPath(name)
    if len(name.encode()) <= _NAME_BYTES:
        return name
    suffix = path.suffix if len(path.suffix.encode()) <= _SUFFIX_BYTES else ""
    stem = name.removesuffix(suffix).encode()[:_NAME_BYTES]
    return stem.decode(errors="ignore") + suffix
