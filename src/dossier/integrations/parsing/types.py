"""The text of a document in parts. Pure values, cheap to import."""

import re
from dataclasses import dataclass
from typing import Final

MAX_PART_CHARACTERS: Final = 50_000
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class TextPart:
    """One page, sheet or stretch of text; a scanned page has no text layer."""

    position: int
    label: str
    text: str
    has_text_layer: bool = True


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text of a document; `encoding` is named where the format does not fix it."""

    parts: list[TextPart]
    encoding: str | None = None
    page_count: int | None = None


def storable(text: str) -> str:
    """Drop what no database column holds: controls and halves of surrogate pairs."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNSTORABLE.sub("", whole)


def split_parts(text: str, label: str) -> list[TextPart]:
    """Cut a text without pages into parts of limited length, at ends of lines."""
    parts: list[TextPart] = []
    start = 0
    while start < len(text) or not parts:
        end = start + MAX_PART_CHARACTERS
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        parts.append(TextPart(len(parts) + 1, label, text[start:end]))
        start = end
    return parts
