"""Which breaks of lines are the page's, and which the writer's own."""

import re
import unicodedata
from typing import Final

FULL_LINE_SHARE: Final = 0.7
"""A line this long, measured by the longest, was broken by the page alone."""
FULL_CHINESE_SHARE: Final = 0.8
"""Chinese breaks anywhere, so that its lines are of one length: the usual one."""
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
_SAID: Final = re.compile("[，。；！？]")
"""Signs of whole sentences; names, headings and forms do without."""
_OPEN: Final = ("，", "、")
_VALUE: Final = re.compile(r"[\d:：.。!！?？;；,，、\t|\n]|^\s*[-*•‧・▪●○◆■□\u2013—]")
"""A line with one of these says something, or goes on."""
_WHOLE: Final = re.compile("[.。!！?？]$")
_WIDE: Final = frozenset("FW")


class Lines:
    """The lines of one passage; tells which of them go on in the next."""

    def __init__(self, text: str) -> None:
        self._text = text
        lines = [line.strip() for line in text.split("\n")]
        self._longest = max(map(columns, lines))
        wrapped = sorted(
            columns(line)
            for line in lines
            if is_chinese(line)
            and columns(line) >= MIN_FULL_CHINESE_COLUMNS
            and not _SAID.match(line[-1])
        )
        self._usual = wrapped[len(wrapped) // 2] if wrapped else 0

    def is_over(self, at: int) -> bool:
        """Say whether the line that ends at an offset ends by its writer's will."""
        line = self._text[self._text.rfind("\n", 0, at) + 1 : at].strip()
        following = self._text[at + 1 :].partition("\n")[0].strip()
        if _LIST_MARK.match(following) or _LABEL.match(following):
            return True
        if is_chinese(line):
            return not self._goes_on(line, following)
        full = max(MIN_FULL_COLUMNS, self._longest * FULL_LINE_SHARE)
        is_other_script = is_wide(following[:1]) and not any(map(is_wide, line))
        return columns(line) < full or is_other_script

    def _goes_on(self, line: str, following: str) -> bool:
        if line.endswith(_OPEN):
            return True
        full = max(MIN_FULL_CHINESE_COLUMNS, self._usual * FULL_CHINESE_SHARE)
        return columns(line) >= full and bool(_SAID.search(line + following))


def is_title(text: str, start: int, end: int) -> bool:
    """Say whether a line alone only names what the lines below it say."""
    line, below = text[start:end], text[end:].lstrip(" \t\u3000")
    if text[:start].rpartition("\n")[2].strip() or not below.startswith("\n"):
        return False
    if columns(line) > MAX_TITLE_COLUMNS or _VALUE.search(line):
        return False
    following = below.lstrip().partition("\n")[0].rstrip()
    return bool(_LABEL.match(following) or _WHOLE.search(following))


def unwrapped(text: str) -> str:
    """Return a sentence as one line; between Chinese characters stands no space."""
    joined = re.sub(r"\s*\n\s*", lambda found: _joint(text, *found.span()), text)
    return " ".join(joined.split())


def _joint(text: str, start: int, end: int) -> str:
    return "" if is_wide(text[start - 1 : start]) and is_wide(text[end]) else " "


def columns(line: str) -> int:
    """Return how wide a line is: a Chinese character takes two columns."""
    return len(line) + sum(map(is_wide, line))


def is_chinese(line: str) -> bool:
    """Say whether a line is Chinese, some names and figures aside."""
    return sum(map(is_wide, line)) * 3 >= len(line) > 0


def is_wide(character: str) -> bool:
    """Say whether a character is as wide as a Chinese one; nothing is not."""
    return bool(character) and unicodedata.east_asian_width(character) in _WIDE
