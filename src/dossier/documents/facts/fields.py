"""Labelled fields of a text: a label, its value and how the two stand together.

Read are `Label: value`, a label in two languages before its value, cells of a table
row, columns below a row of labels, and a value on the line after its label. Where a
label does not end clearly, or several labels stand before their values, nothing is
read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import takewhile
from typing import Final

from dossier.documents.facts.dates import find_dates
from dossier.documents.facts.folding import CJK, COMPANY_FORMS, fold, has_cjk, visible
from dossier.documents.facts.types import PageText
from dossier.documents.facts.vocabulary import (
    DATE_LABELS,
    MODIFIER,
    Label,
    label_at,
)

_CELL_END: Final = re.compile(r"\t|[ \u3000]{3,}|\u3000{2,}|\s*[|│\uff5c]\s*")
_BULLET: Final = re.compile(
    r"[\s\-•●■◆□*·>]*(?:\(?\d{1,2}(?:\.\d{1,2})*[.)、]?\s+|\(?[一二三四五六七八九十壹贰参肆伍陆柒捌玖拾]{1,3}"
    r"[)、.]\s*|[a-z][.)]\s+)?"
)
_JOINER: Final = re.compile(r" *[/()\[\]·、,&]? *")
_TRANSLATION: Final = re.compile(r" *[a-z][a-z/.&#' -]{0,30}(?= *[:=])")
_TAIL: Final = re.compile(r"[ )\]]*(?:[(\[][^)\]]{0,30}[)\]])?[ *)\]]*(?=[:=]|$)")
_COLON: Final = re.compile(r" *[:=] *-? ?| *(?:\.{3,}|…+|·{3,}|→|=>|->) *:? *")
_DASH: Final = re.compile(r" +- +(?=\S)")
_ENDS_WITH_NOUN: Final = re.compile(
    fold(
        r"(?:name|no\.?|number|code|date|by|until|issued|lot|batch|client|名稱|品名|批號|編號"
        r"|日期|單位|廠商|公司|期限|人員|姓名|地址|版本|客戶)[)\]]?$"
    )
)
"""Labels after which a dash stands for a colon: "Lot no. - A12", but no title."""
_WORD_START: Final = re.compile(r"(?<![0-9a-z])[0-9a-z]|[^\x00-\x7f]")
_ANY_LABEL_WITH_COLON: Final = re.compile(
    r"[^\d:.,;。、](?:[^:.,;。、]|\.(?! )){0,28}(?<!\d):"
)
_WIDE_LABEL: Final = re.compile(rf"[{CJK}]{{2,8}}(?:\u3000|[ \u3000]{{2,}}|\t)\S")
"""A short Chinese word, a wide space and a value."""

_LABEL_AFTER_VALUE: Final = re.compile(rf"\u3000+[{CJK}]{{2,8}}[ \u3000:\uff1a]")
"""A wide space and a word that another space follows: the next field."""

_WHOLE_LABEL: Final = re.compile(
    r"(?:names?|site|address|body|laboratory|assessor|signatory|item|article|by)$"
    r"|^name "
)
"""English labels that are recognised in a sentence without a colon."""

_ORGANISATION: Final = re.compile(rf"(?:{COMPANY_FORMS}|laboratory|university)\.?\s*$")
_CODE: Final = re.compile(r" *[#:]? *(?=[a-z0-9/_.-]*\d)[a-z0-9]")
_BEFORE_DATE: Final = re.compile(r" *(?:from|on|until|to|自|至|于|为)? *$")
_LABEL_GOES_ON: Final = re.compile(r"[^\d:]{0,40}:")
_SENTENCE: Final = re.compile(
    r"^(?:is|are|was|were|has|have|had|must|shall|should|may|can|will|does|do|did|not|and"
    r"|or|of|for|to|in|on|at|by|with|from|as|that|which|when|if)\b"
)
LONGEST_LINE: Final = 2000
MOST_LABELS: Final = 6
"""Labels that adjoin in one expression: "批號 / Lot / Batch no."."""

LONGEST_PARAGRAPH: Final = 8
"""Lines of a conclusion that are read together."""

WRAPPED_LINE: Final = 60
"""Characters from which a line may have been broken for its length."""

_VALUE_EDGE: Final = " \t\u3000·;；,，|-:：、"

_MORE_SPECIFIC: Final = (
    Label.VALIDITY, Label.LOT_EXPIRY, Label.REVISION_DATE, Label.ISSUE_DATE,
    Label.SIGNING_DATE, Label.SIGNATURE, Label.SITE,
)  # fmt: skip
_COMPATIBLE: Final = (
    {Label.DATE, Label.ISSUE_DATE}, {Label.DATE, Label.REVISION_DATE},
    {Label.DATE, Label.SIGNING_DATE}, {Label.EXPIRY, Label.VALIDITY},
    {Label.EXPIRY, Label.LOT_EXPIRY}, {Label.SIGNER, Label.SIGNATURE},
    {Label.COMPANY, Label.SITE}, {Label.ADDRESS, Label.SITE},
)  # fmt: skip
"""Pairs of labels that say one thing in two languages; the more specific one counts."""


_VERSION_LABELS: Final = frozenset(
    {Label.FORMULA_VERSION, Label.PACK_VERSION, Label.VERSION}
)
_TITLE_LABELS: Final = frozenset({Label.USE_METHOD, Label.VERDICT, Label.METHOD})
"""Labels that are also titles: what stands below the title is no value."""


class FieldStanding(StrEnum):
    """How a value stands to its label."""

    COLON = "colon"
    CELL = "cell"
    BILINGUAL = "bilingual"
    COLUMN = "column"
    NEXT_LINE = "next_line"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class Field:
    """A label and the text that follows it, as printed.

    `continues` is true where the value may go on in the next line.
    """

    label: Label
    words: str
    value: str
    standing: FieldStanding
    page: int | None
    line: int
    continues: bool = False


@dataclass(frozen=True, slots=True)
class _LabelMatch:
    label: Label
    start: int
    end: int
    is_bilingual: bool
    has_colon: bool = False
    is_apart: bool = False
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class _Column:
    position: int
    label: Label
    words: str


def page_lines(page: PageText) -> list[str]:
    """Return the lines of a page as printed, without characters of no width.

    What follows `LONGEST_LINE` characters in one line is no form, and is left out: the
    patterns of values take time with the square of a line.
    """
    lines = re.split(r"\r\n|[\n\r\x0b\x0c\u2028]", visible(page.text))
    return [line[:LONGEST_LINE] for line in lines]


def read_fields(page: PageText) -> list[Field]:
    """Return the labelled fields of a page, in order."""
    lines = page_lines(page)
    found: list[Field] = []
    columns: list[_Column] = []
    for number, line in enumerate(lines):
        cells = _cells(line)
        header = _header(cells)
        if header:
            columns = header
            continue
        if columns and _is_row_of(columns, cells):
            found.extend(
                Field(
                    column.label,
                    column.words,
                    value,
                    FieldStanding.COLUMN,
                    page.number,
                    number,
                )
                for column in columns
                if (value := cells[column.position].strip())
            )
            continue
        columns = []
        for field in _row_fields(cells, page.number, number):
            placed = _placed(field, lines)
            if placed is not None:
                found.append(placed)
    return found


def _cells(line: str) -> list[str]:
    """Split a line at tabs, rules and wide gaps, but not inside a label: 批   號."""
    cells, start = [], 0
    folded = fold(line)
    for gap in _CELL_END.finditer(line):
        label = label_at(folded, gap.start() - 1) if gap.start() else None
        if label is None or label[1] <= gap.end():
            cells.append(line[start : gap.start()])
            start = gap.end()
    return [*cells, line[start:]]


def _placed(field: Field, lines: Sequence[str]) -> Field | None:
    """Return a field with its value, which may stand or go on in the next lines."""
    if not field.value:
        is_title = field.label in _TITLE_LABELS and not "".join(lines[: field.line])
        value = None if is_title else _next_line_value(lines, field)
        if value is None:
            return field if field.label is Label.SIGNATURE else None
        field = replace(
            field, value=value, standing=FieldStanding.NEXT_LINE, line=field.line + 1
        )
    if field.label is Label.VERDICT and lines[field.line].rstrip().endswith(
        field.value
    ):
        # A conclusion goes on up to the next label or empty line.
        paragraph = takewhile(
            lambda line: line.strip() and not _starts_with_label(line),
            lines[field.line + 1 : field.line + LONGEST_PARAGRAPH],
        )
        return replace(
            field, value="\n".join([field.value, *map(str.strip, paragraph)])
        )
    if field.standing in {FieldStanding.CELL, FieldStanding.NEXT_LINE}:
        return field
    return replace(field, continues=_may_continue(field, lines))


def match_label(folded: str, start: int) -> _LabelMatch | None:
    """Return the label at a place, with its words in both languages."""
    position = start
    modifier = MODIFIER.match(folded, position)
    if modifier:
        whole = label_at(folded, position)
        if whole and whole[1] > modifier.end():
            # "Last updated" is a label by itself.
            modifier = None
        else:
            position = modifier.end()
    labels: list[Label] = []
    end = position
    while (
        len(labels) < MOST_LABELS
        and (at := label_at(folded, position))
        and not _is_part_of_bracket(folded, end, at[1])
    ):
        labels.append(at[0])
        end = at[1]
        joiner = _JOINER.match(folded, end)
        position = joiner.end() if joiner else end
    label = _combined(labels)
    if label is None:
        return None
    if modifier:
        label = Label.OTHER
    is_mixed = label is Label.OTHER and len(set(labels)) > 1
    words = folded[start:end]
    if has_cjk(words) and not re.search(r"[a-z]{2}", words):
        # An unknown translation before the colon: "料號 P/N:".
        translation = _TRANSLATION.match(folded, end)
        end = translation.end() if translation else end
        words = folded[start:end]
    is_bilingual = has_cjk(words) and re.search(r"[a-z]", words) is not None
    tail = _TAIL.match(folded, end)
    colon = _COLON.match(folded, tail.end() if tail else end)
    if not colon and _ENDS_WITH_NOUN.search(words):
        colon = _DASH.match(folded, end)
    if colon:
        return _LabelMatch(label, start, colon.end(), is_bilingual, has_colon=True)
    bracket = re.match(r" *[)\]]", folded[end:])
    end += bracket.end() if bracket else 0
    if tail and tail.end() == len(folded):
        end = tail.end()
    return _LabelMatch(label, start, end, is_bilingual, is_mixed=is_mixed)


def _is_part_of_bracket(folded: str, start: int, end: int) -> bool:
    """Return whether a label begins a bracket: "(sample receiving date)".

    Such a bracket translates the label before it.
    """
    opened = folded.find("(", start, end)
    closed = folded.find(")", end)
    inner = folded[end:closed].strip(" /,")
    return opened >= 0 and closed > 0 and bool(inner) and label_at(inner, 0) is None


def _combined(labels: Sequence[Label]) -> Label | None:
    """Return what several adjoining labels say together; `OTHER` if they differ."""
    kept = [label for label in labels if label is not Label.FILLER]
    if kept and kept[0] is not Label.PERSON:
        kept = [label for label in kept if label is not Label.PERSON]
    if not kept:
        return None
    if len(set(kept)) == 1:
        return kept[0]
    if kept[0] is Label.VERDICT or set(kept) == {Label.TRADE_NAME, Label.PRODUCT_NAME}:
        return kept[0]
    if set(kept) == {Label.MANUFACTURE_DATE, Label.LOT}:
        # "Date of manufacture / lot": a lot is read, a date is not.
        return Label.LOT
    if set(kept) in _COMPATIBLE:
        return next(label for label in _MORE_SPECIFIC if label in kept)
    return Label.OTHER


def _header(cells: Sequence[str]) -> list[_Column]:
    """Return the columns of a row of labels, some of which may be unknown."""
    columns = []
    for position, cell in enumerate(cells):
        folded = fold(cell.strip())
        match = match_label(folded, 0)
        if match is None or match.end < len(folded.rstrip("*: ")):
            if ":" in folded or re.search(r"\d", folded):
                return []
            continue
        if match.has_colon and match.end < len(folded):
            return []
        columns.append(_Column(position, match.label, cell.strip()))
    # A row of labels and values in turn has labels in every second cell.
    return columns if len(columns) > max(1, len(cells) / 2) else []


def _is_row_of(columns: Sequence[_Column], cells: Sequence[str]) -> bool:
    if not columns[-1].position < len(cells) <= columns[-1].position + 2:
        return False
    first = fold(cells[0].strip())
    match = match_label(first, 0)
    return match is None or match.end < len(first)


def _row_fields(cells: Sequence[str], page: int | None, line: int) -> Iterator[Field]:
    """Yield the fields of a row; a value in the next cell belongs to its label."""
    taken = -1
    for position, cell in enumerate(cells):
        if position == taken:
            continue
        fields = list(_cell_fields(cell, page, line))
        if len(fields) == 1 and not fields[0].value and position + 1 < len(cells):
            following = cells[position + 1].strip(_VALUE_EDGE)
            if (
                following
                # "FAIL: the count exceeds the limit" is no label.
                and not _starts_with_label(
                    following, known=fields[0].label is Label.VERDICT
                )
                and not _is_heading(following)
            ):
                taken = position + 1
                field = fields[0]
                yield Field(
                    field.label, field.words, following, FieldStanding.CELL, page, line
                )
            continue
        yield from fields


def _is_heading(text: str) -> bool:
    """Return whether a cell may be the heading of a column: "Product details"."""
    folded = fold(text)
    match = match_label(folded, 0)
    rest = folded[match.end :].split() if match else []
    return len(rest) == 1 and rest[0].isalpha() and not has_cjk(rest[0])


def _cell_fields(cell: str, page: int | None, line: int) -> Iterator[Field]:
    """Yield the fields of one cell; its first label stands at its beginning."""
    folded = fold(cell)
    bullet = _BULLET.match(folded)
    start = bullet.end() if bullet else 0
    match = match_label(folded, start)
    if match is None and (unknown := _ANY_LABEL_WITH_COLON.match(folded, start)):
        match = _next_label(folded, unknown.end())
    while match is not None:
        following = _next_label(folded, match.end)
        end = following.start if following else len(cell)
        value = _without_open_bracket(cell[match.end : end].strip(_VALUE_EDGE))
        if unknown_label := _LABEL_AFTER_VALUE.search(value):
            value = value[: unknown_label.start()]
        if (
            match.label not in _VERSION_LABELS
            and re.fullmatch(r"\d{1,3}", value)
            and re.search(r"[.…·]{3}", cell[match.start : match.end])
        ):
            # A line of a table of contents: "Batch ........ 12".
            return
        standing = _standing(match, cell, end)
        if standing is None and following and not following.is_apart:
            # The label goes on in words that are unknown: "sample receiving date".
            return
        if standing is not None and (value or following is None):
            words = cell[match.start : match.end]
            yield Field(match.label, words, value, standing, page, line)
        match = following


def _without_open_bracket(value: str) -> str:
    """Cut a bracket that was opened before the value or closes after it."""
    opened, closed = len(re.findall(r"[(（]", value)), len(re.findall(r"[)）]", value))
    if opened > closed and value[-1] in "(（":
        return value[:-1].strip(_VALUE_EDGE)
    if closed > opened and value[-1] in ")）":
        return value[:-1].strip(_VALUE_EDGE)
    return value


def _standing(match: _LabelMatch, cell: str, end: int) -> FieldStanding | None:
    """Return how the value stands to its label, or `None` if that is not clear."""
    rest = cell[match.end : end]
    folded = fold(rest)
    if match.has_colon or not rest.strip():
        return FieldStanding.COLON
    if _LABEL_GOES_ON.match(folded):
        return None
    if _is_typed(match.label, folded) or rest.startswith("\u3000"):
        return FieldStanding.BILINGUAL if match.is_bilingual else FieldStanding.SPACE
    words = fold(cell[match.start : match.end]).strip()
    if folded[0] not in " (" or (not has_cjk(words[-1]) and rest.strip()[0].islower()):
        return None
    if match.is_bilingual:
        return FieldStanding.BILINGUAL
    if has_cjk(words):
        is_clear = len(words) > 1
    else:
        value = folded.strip()
        names_organisation = match.label in {Label.COMPANY, Label.ISSUER} and (
            _ORGANISATION.search(value)
        )
        is_clear = bool(
            names_organisation or _WHOLE_LABEL.search(words)
        ) and not _SENTENCE.match(value)
    return FieldStanding.SPACE if is_clear else None


def _next_label(folded: str, start: int) -> _LabelMatch | None:
    """Return the next label inside a cell: one that ends the value before it."""
    for word in _WORD_START.finditer(folded, start):
        position = word.start()
        before = folded[max(position - 2, start) : position]
        if position == start or before[-1:] not in " ·;|,、(/。.)" or not before:
            continue
        inside = folded[start:position].rstrip(" (")
        if inside.count("(") > inside.count(")"):
            continue
        match = match_label(folded, position)
        if match is None:
            continue
        if before == "  " or before[-1] in "·;|":
            match = replace(match, is_apart=True)
        if match.has_colon or match.is_bilingual or match.is_apart:
            return match
        rest = folded[match.end :]
        if _is_typed(match.label, rest):
            return match
        if has_cjk(folded[match.start : match.end]) and rest[:1] == " ":
            return match
    return None


def _is_typed(label: Label, rest: str) -> bool:
    """Return whether text begins with a value of the form that the label announces."""
    if label in DATE_LABELS:
        dates = find_dates(rest[:60])
        return bool(dates) and _BEFORE_DATE.match(rest[: dates[0].start]) is not None
    if label in {Label.LOT, Label.PRODUCT_CODE, Label.FORMULA}:
        return _CODE.match(rest) is not None
    if label in _VERSION_LABELS:
        return re.match(r" *(?:v|rev\.?)? ?(?:\d|[a-z](?![a-z]))", rest) is not None
    return False


def _starts_with_label(text: str, *, known: bool = False) -> bool:
    """Return whether a line begins with a label: a known one, or any before a colon."""
    folded = fold(text.strip())
    bullet = _BULLET.match(folded)
    start = bullet.end() if bullet else 0
    if not known and (
        _ANY_LABEL_WITH_COLON.match(folded, start) or _WIDE_LABEL.match(text.strip())
    ):
        return True
    match = match_label(folded, start)
    if match is None:
        return False
    rest = folded[match.end :]
    is_chinese = (
        has_cjk(folded[start : match.end]) and len(rest) - len(rest.lstrip()) > 0
    )
    return match.has_colon or match.is_bilingual or not rest.strip() or is_chinese


def _next_line_value(lines: Sequence[str], field: Field) -> str | None:
    """Return the line after a label, unless another label stands there.

    Several labels in a row stand before several values: which belongs to which is lost.
    """
    if field.label is not Label.VERDICT and not _may_stand_above(lines, field.line):
        return None
    for line in lines[field.line + 1 : field.line + 3]:
        if not line.strip():
            continue
        # "FAIL: the count exceeds the limit" is no label.
        is_label = _starts_with_label(line, known=field.label is Label.VERDICT)
        return None if is_label or "\t" in line else line.strip()
    return None


def _may_stand_above(lines: Sequence[str], number: int) -> bool:
    """Return whether a line is a label above its value.

    It may also be the last words of a wrapped table cell.
    """
    before = lines[number - 1].strip() if number else ""
    if not before:
        return True
    if _is_label_only(before):
        return False
    if _starts_with_label(before) or fold(before)[-1] in ".。":
        return True
    return number > 1 and _is_label_only(lines[number - 2])


def _is_label_only(line: str) -> bool:
    folded = fold(line.strip())
    match = match_label(folded, 0)
    return match is not None and match.end >= len(folded) and not match.is_mixed


def _may_continue(field: Field, lines: Sequence[str]) -> bool:
    """Return whether a value at the end of its line may go on in the next one."""
    line = lines[field.line]
    following = lines[field.line + 1].strip() if field.line + 1 < len(lines) else ""
    if not line.rstrip().endswith(field.value) or "\t" in following:
        return False
    if not following or _starts_with_label(following):
        return False
    if has_cjk(field.value[-1]) != has_cjk(following[0]):
        return False
    after = lines[field.line + 2].strip() if field.line + 2 < len(lines) else ""
    return (
        field.value[-1] in ",，、&-/(（"
        or field.value.count("(") > field.value.count(")")
        or following[0].islower()
        or len(line) >= max(WRAPPED_LINE, 0.9 * max(map(len, lines)))
        or (
            len(following) < WRAPPED_LINE
            and not re.search(r"[。，.]", following)
            and bool(after)
            and _starts_with_label(after)
        )
    )
