"""What was read from a document. Pure values, cheap to import."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dossier.core.findings import Message
from dossier.integrations.parsing.exceptions import UnreadableReason

MAX_PART_CHARACTERS: Final = 50_000
# Controls, which no database column holds; soft hyphens and characters without width,
# which would part words that the page shows whole.
_UNSTORABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b\u2060\ufeff]"
)


class ReadState(StrEnum):
    """How much of a document was read."""

    READ = "read"
    READ_PARTLY = "read_partly"
    UNREADABLE = "unreadable"


class PageState(StrEnum):
    """How much of a page was read; a blank page shows nothing."""

    READ = "read"
    READ_PARTLY = "read_partly"
    UNREADABLE = "unreadable"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class ReadWarning:
    """Something that a person who relies on the text should know."""

    code: str
    message: Message
    place: str | None = None
    is_gap: bool = False
    """Whether something visible was not read, which makes the document read partly."""


@dataclass(frozen=True, slots=True)
class TextPage:
    """One page or sheet, or a stretch of a text without pages."""

    position: int
    """Counts from 1 in reading order."""
    number: int | None
    """Of the page; `None` for formats without pages."""
    label: str
    text: str
    state: PageState = PageState.READ

    @property
    def characters(self) -> int:
        """Count the characters of the text, white space left aside."""
        return len("".join(self.text.split()))

    @property
    def has_text_layer(self) -> bool:
        """Return whether the text can be relied on."""
        return self.state is not PageState.UNREADABLE


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of a document with what was left out; unreadable ones say why."""

    media_type: str
    kind: str
    state: ReadState
    pages: list[TextPage]
    warnings: list[ReadWarning] = field(default_factory=list)
    encoding: str | None = None
    """Named where the format does not fix it."""
    reason: UnreadableReason | None = None
    """Why nothing could be read."""
    detail: str = ""

    @property
    def text(self) -> str:
        """Return the whole text; pages are separated by an empty line."""
        return "\n\n".join(page.text for page in self.pages if page.text)

    @property
    def usable_pages(self) -> list[TextPage]:
        """Return the pages whose text can be relied on."""
        if self.state is ReadState.UNREADABLE:
            return []
        return [page for page in self.pages if page.has_text_layer]

    @property
    def page_count(self) -> int | None:
        """Count the pages of what has pages."""
        return sum(page.number is not None for page in self.pages) or None


@dataclass(frozen=True, slots=True)
class ReaderContent:
    """What one reader found in a file; `documents` judges its state."""

    pages: list[TextPage]
    warnings: list[ReadWarning] = field(default_factory=list)
    encoding: str | None = None
    unread_reason: UnreadableReason = UnreadableReason.EMPTY
    """The reason to give where no page has any text."""
    unread: Message = Message(zh="檔案沒有內容", en="nothing is written in it")  # noqa: RUF009 - frozen


def state_of(pages: Iterable[TextPage], warnings: Iterable[ReadWarning]) -> ReadState:
    """Judge a document by its pages and by what its reader left out.

    "Read" with nothing does not exist: a document without any text is unreadable.
    """
    pages = list(pages)
    if not any(page.characters for page in pages if page.has_text_layer):
        return ReadState.UNREADABLE
    whole = {PageState.READ, PageState.BLANK}
    if all(page.state in whole for page in pages) and not any(
        warning.is_gap for warning in warnings
    ):
        return ReadState.READ
    return ReadState.READ_PARTLY


def storable(text: str) -> str:
    """Drop what is not seen: controls, soft hyphens, halves of surrogate pairs."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNSTORABLE.sub("", whole)


def split_parts(text: str, label: str) -> list[TextPage]:
    """Cut a text without pages into parts of limited length, at ends of lines."""
    parts: list[TextPage] = []
    start = 0
    while start < len(text) or not parts:
        end = start + MAX_PART_CHARACTERS
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        parts.append(TextPage(len(parts) + 1, None, label, text[start:end]))
        start = end
    return parts
