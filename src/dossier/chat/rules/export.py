"""A conversation written down in Markdown; citations become footnotes.

Nothing in it acts when it is rendered: links, pictures, markup and code
of messages, names and quotes are words here, and an address stands as code, of which no
renderer makes a link.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dossier.chat.rules.links import ADDRESS, bare

_SPACES: Final = re.compile(r"\s+")
_MARK: Final = re.compile(r"\[(\d{1,4})\]")
_LIVE: Final = re.compile(
    r"[\\`\[\]*~]|!(?=\[)|<(?=[a-z/!?])|&(?=#|[a-z][a-z0-9]*;)"
    r"|_(?![^\W_])|(?<![^\W_])_",
    re.IGNORECASE,
)
_LINE_ENDS: Final = re.compile(r"\r\n?")
_OPENS: Final = re.compile(
    r"^(?:(?=[#>]|[-+](?:[ \t]|$)|[-:|][-:| \t]*$|=+$)|(\d{1,9})(?=[.)](?:[ \t]|$)))"
)
"""What makes a line more than words: a heading, a quote, a list, a rule, a table."""
_CLOSES: Final = re.compile(r"(?<!\S)#(?=#*$)")
"""Signs at the end of a heading that a renderer leaves out."""
_JOINS: Final = frozenset("(:")
_UNSAFE: Final = re.compile(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class ExportedText:
    """One message of an export."""

    name: str
    at: datetime
    text: str
    citations: Sequence[Mapping[str, Any]]


def markdown_of(title: str, messages: Sequence[ExportedText]) -> str:
    """Return a conversation with its footnotes at the end."""
    notes: list[str] = []
    parts = ["# " + _CLOSES.sub(r"\\#", _inert(_one_line(title)))]
    for message in messages:
        at = message.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        head = f"**{_inert(_one_line(message.name))}** · {at}"
        parts += [head, _body(message, notes)]
    footnotes = [f"[^{n}]: {note}" for n, note in enumerate(notes, start=1)]
    return "\n\n".join([*parts, *footnotes]) + "\n"


def export_filename(title: str, ending: str) -> str:
    """Return a name for the download that file systems take."""
    return f"{_UNSAFE.sub('-', _one_line(title)).strip(' .') or 'chat'}.{ending}"


def _body(message: ExportedText, notes: list[str]) -> str:
    """Return the text with the marks of footnotes; append their notes to the list."""
    waiting: dict[int, list[int]] = {}
    for position, citation in enumerate(message.citations, start=1):
        notes.append(_note(citation))
        number = citation.get("number")
        passage = number if isinstance(number, int) else position
        waiting.setdefault(passage, []).append(len(notes))
    placed: dict[int, int] = {}
    # `split` returns words and the numbers of marks in turns.
    first, *pieces = _MARK.split(_LINE_ENDS.sub("\n", message.text))
    text = _inert(first)
    for number, words in zip(pieces[::2], pieces[1::2], strict=True):
        passage = int(number)
        # Quotes of one passage share its number: each mark takes the next.
        if waiting.get(passage):
            placed[passage] = waiting[passage].pop(0)
        text += f"[^{placed[passage]}]" if passage in placed else f"[{number}]"
        # `[^1](` or `[^1]:` would make a link or a note of the mark.
        if words[:1] in _JOINS:
            text += f"\\{words[0]}{_inert(words[1:])}"
        else:
            text += _inert(words)
    # A line that opens a block, or blanks around it, would be more than words.
    lines = (line.strip(" \t") for line in text.strip().split("\n"))
    text = "\n".join(_OPENS.sub(r"\1\\", line) for line in lines)
    unmarked = [f"[^{n}]" for left in waiting.values() for n in left]
    return " ".join([text, *unmarked])


def _note(citation: Mapping[str, Any]) -> str:
    """Return document, page and quote, whichever are known."""
    page = citation.get("page")
    place = f"p. {page}" if page is not None else citation.get("label")
    known = [str(each) for each in (citation.get("filename"), place) if each]
    source = _inert(_one_line(", ".join(known)))
    quote = citation.get("quote")
    return f"{source}: “{_inert(_one_line(str(quote)))}”" if quote else source


def _inert(text: str) -> str:
    """Return a text with its addresses as code, and no sign that means anything."""
    parts: list[str] = []
    end = 0
    for found in ADDRESS.finditer(text):
        address = bare(found.group())
        parts += [_escaped(text[end : found.start()]), f"`{address}`"]
        end = text.index(address, found.start()) + len(address)
        end += text.startswith(">", end) and found.group().startswith("<")
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return _LIVE.sub(r"\\\g<0>", text)


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
