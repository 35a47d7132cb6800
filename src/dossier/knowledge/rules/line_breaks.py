"""Which line breaks only wrap a line at the page's edge, and which are intended."""

import re
import unicodedata
from typing import Final

FULL_LINE_SHARE: Final = 0.7
"""A line of at least this share of the longest one was wrapped."""
FULL_CHINESE_SHARE: Final = 0.8
"""Chinese may break anywhere, so that wrapped lines are of about one length."""
MIN_FULL_COLUMNS: Final = 24
MIN_FULL_CHINESE_COLUMNS: Final = 32
MAX_TITLE_COLUMNS: Final = 72

_LIST_MARK: Final = re.compile(
    r"\s*(?:[-*•‧・▪●○◆■□–—](?!\d)|\(?\d{1,2}[.)、）](?!\d)"  # noqa: RUF001
    r"|[(（][一二三四五六七八九十a-z\d]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}、|[a-z][.)]\s)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"\s*[^\n,，.。;；:：]{1,24}[:：]\s*\S")
_PUNCTUATION: Final = re.compile("[，。；！？]")
"""Punctuation of sentences; names, headings and forms have none."""
_COMMAS: Final = ("，", "、")
_VALUE: Final = re.compile(r"[\d:：.。!！?？;；,，、\t|\n]|^\s*[-*•‧・▪●○◆■□\u2013—]")
"""A line with one of these is a statement, or continues."""
_WHOLE: Final = re.compile("[.。!！?？]$")
_WIDE: Final = frozenset("FW")


class Lines:
    """The lines of one passage, and which of them continue in the next."""

    def __init__(self, text: str) -> None:
        self._text = text
        lines = [line.strip() for line in text.split("\n")]
        self._longest_columns = max(map(columns, lines))
        wrapped = sorted(
            columns(line)
            for line in lines
            if is_chinese(line)
            and columns(line) >= MIN_FULL_CHINESE_COLUMNS
            and not _PUNCTUATION.match(line[-1])
        )
        self._usual_columns = wrapped[len(wrapped) // 2] if wrapped else 0

    def is_intended_break(self, at: int) -> bool:
        """Return whether the break at an offset is intended."""
        line = self._text[self._text.rfind("\n", 0, at) + 1 : at].strip()
        following = self._text[at + 1 :].partition("\n")[0].strip()
        if _LIST_MARK.match(following) or _LABEL.match(following):
            return True
        if is_chinese(line):
            if line.endswith(_COMMAS):
                return False
            usual = self._usual_columns * FULL_CHINESE_SHARE
            is_full = columns(line) >= max(MIN_FULL_CHINESE_COLUMNS, usual)
            return not (is_full and _PUNCTUATION.search(line + following))
        full = max(MIN_FULL_COLUMNS, self._longest_columns * FULL_LINE_SHARE)
        is_other_script = is_wide(following[:1]) and not any(map(is_wide, line))
        return columns(line) < full or is_other_script


def is_title(text: str, start: int, end: int) -> bool:
    """Return whether a line is a title of the lines below it."""
    line, below = text[start:end], text[end:].lstrip(" \t\u3000")
    if text[:start].rpartition("\n")[2].strip() or not below.startswith("\n"):
        return False
    if columns(line) > MAX_TITLE_COLUMNS or _VALUE.search(line):
        return False
    following = below.lstrip().partition("\n")[0].rstrip()
    return bool(_LABEL.match(following) or _WHOLE.search(following))


def unwrapped(text: str) -> str:
    """Return a sentence as one line, without spaces between Chinese characters."""

    def joint(found: re.Match[str]) -> str:
        before, after = text[found.start() - 1 : found.start()], text[found.end()]
        return "" if is_wide(before) and is_wide(after) else " "

    return " ".join(re.sub(r"\s*\n\s*", joint, text).split())


def columns(line: str) -> int:
    """Return how wide a line is: a Chinese character takes two columns."""
    return len(line) + sum(map(is_wide, line))


def is_chinese(line: str) -> bool:
    """Return whether a line is Chinese, apart from some names and figures."""
    return sum(map(is_wide, line)) * 3 >= len(line) > 0


def is_wide(character: str) -> bool:
    """Return whether a character takes two columns; `False` for an empty string."""
    return bool(character) and unicodedata.east_asian_width(character) in _WIDE
