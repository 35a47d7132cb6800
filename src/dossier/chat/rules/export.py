"""A conversation written down in Markdown; citations become footnotes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dossier.core.patterns import pattern

_SPACES: Final = pattern(r"\s+")
_MARK: Final = pattern(r"\[(\d{1,4})\]")
_LIVE: Final = pattern(r"[\[\]<!]")
_UNSAFE: Final = pattern(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class Said:
    """One message, as it is written down."""

    name: str
    at: datetime
    text: str
    citations: Sequence[Mapping[str, Any]]


def markdown_of(title: str, messages: Sequence[Said]) -> str:
    """Return a conversation with its footnotes at the end."""
    notes: list[str] = []
    parts = [f"# {_one_line(title)}"]
    for message in messages:
        parts += [_head(message), _body(message, notes)]
    footnotes = [f"[^{n}]: {note}" for n, note in enumerate(notes, start=1)]
    return "\n\n".join([*parts, *footnotes]) + "\n"


def export_filename(title: str, ending: str) -> str:
    """Return a name for the download that file systems take."""
    return f"{_UNSAFE.sub('-', _one_line(title)).strip(' .') or 'chat'}.{ending}"


def _head(message: Said) -> str:
    at = message.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"**{_one_line(message.name)}** · {at}"


def _body(message: Said, notes: list[str]) -> str:
    """Return the text with the footnotes' marks; their notes are put to the list."""
    waiting: dict[int, list[int]] = {}
    for position, citation in enumerate(message.citations, start=1):
        notes.append(_note(citation))
        waiting.setdefault(_number(citation, position), []).append(len(notes))
    placed: dict[int, int] = {}

    def footnote(match: re.Match[str]) -> str:
        """Quotes of one passage share its number: each mark takes the next."""
        number = int(match.group(1))
        if waiting.get(number):
            placed[number] = waiting[number].pop(0)
        return f"[^{placed[number]}]" if number in placed else match.group(0)

    text = _MARK.sub(footnote, message.text.strip())
    unmarked = [f"[^{n}]" for left in waiting.values() for n in left]
    return " ".join([text, *unmarked])


def _number(citation: Mapping[str, Any], position: int) -> int:
    number = citation.get("number")
    return number if isinstance(number, int) else position


def _note(citation: Mapping[str, Any]) -> str:
    """Return document, page and quote, whichever are known."""
    page = citation.get("page")
    place = f"p. {page}" if page is not None else citation.get("label")
    source = ", ".join(str(each) for each in (citation.get("filename"), place) if each)
    quote = citation.get("quote")
    return f"{source}: “{_inert(str(quote))}”" if quote else source


def _inert(quote: str) -> str:
    """A paper's own links, pictures and markup are words here."""
    return _LIVE.sub(r"\\\g<0>", _one_line(quote))


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
