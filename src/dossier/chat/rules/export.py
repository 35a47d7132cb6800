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

from dossier.chat.rules.links import DOMAIN_ENDINGS

_SPACES: Final = re.compile(r"\s+")
_MARK: Final = re.compile(r"\[(\d{1,4})\]")
_LIVE: Final = re.compile(
    r"[\\`\[\]*~@]|!(?=\[)|&(?=#|[a-z][a-z0-9]*;)|_(?![^\W_])|(?<![^\W_])_",
    re.IGNORECASE,
)
_MARKUP: Final = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_RUN: Final = re.compile(r"[^\x00-\x20\x7f-\U0010ffff<>()\[\]\"`]+")
"""Words and signs that can stand in an address; renderers end one at any other."""
_LINKABLE: Final = re.compile(
    rf":[/\\]|//\w|www\.|@\S|\S@|\.(?:{DOMAIN_ENDINGS})(?![a-z0-9_-])"
    r"|(?:javascript|vbscript|mailto|file|blob|tel|sms|data|xmpp):\S",
    re.IGNORECASE,
)
"""What renderers make a link of somewhere in a run, whatever stands around it."""
_LINE_ENDS: Final = re.compile(r"\r\n?")
_OPENS: Final = re.compile(
    r"^(?:(?=[#>]|[-+](?:[ \t]|$)|[-:|][-:| \t]*$|=+$)|(\d{1,9})(?=[.)](?:[ \t]|$)))"
)
"""What makes a line more than words: a heading, a quote, a list, a rule, a table."""
_CLOSES: Final = re.compile(r"(?<!\S)#(?=#*$)")
"""Signs at the end of a heading that a renderer leaves out."""
_JOINS: Final = ("(", ":")
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
    marks, unmarked = _marks(message, len(notes) + 1)
    notes += map(_note, message.citations)
    text, end = "", 0
    for (start, stop), numbers in sorted(marks.items()):
        if start < end:  # of marks that overlap, the first
            unmarked += numbers
            continue
        text += _words(message.text[end:start], is_after_mark=end > 0)
        text += " ".join(f"[^{number}]" for number in numbers)
        end = stop
    text += _words(message.text[end:], is_after_mark=end > 0)
    # A line that opens a block, or blanks around it, would be more than words.
    lines = (line.strip(" \t") for line in text.strip().split("\n"))
    text = "\n".join(_OPENS.sub(r"\1\\", line) for line in lines)
    return " ".join([text, *(f"[^{number}]" for number in unmarked)])


def _marks(
    message: ExportedText, first: int
) -> tuple[dict[tuple[int, int], list[int]], list[int]]:
    """Return the numbers of footnotes by the places of their marks, and the others."""
    marks: dict[tuple[int, int], list[int]] = {}
    waiting: dict[int, list[int]] = {}
    for note, citation in enumerate(message.citations, start=first):
        start, end = citation.get("mark_start"), citation.get("mark_end")
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
            marks.setdefault((start, end), []).append(note)
        else:
            number = citation.get("number")
            passage = number if isinstance(number, int) else note - first + 1
            waiting.setdefault(passage, []).append(note)
    # Messages stored by earlier versions: a mark is the number in the text, and quotes
    # of one passage share it, so that each mark takes the next quote.
    placed: dict[int, int] = {}
    for found in _MARK.finditer(message.text) if waiting else ():
        passage = int(found[1])
        if waiting.get(passage):
            placed[passage] = waiting[passage].pop(0)
        if passage in placed:
            marks.setdefault(found.span(), []).append(placed[passage])
    return marks, [note for left in waiting.values() for note in left]


def _words(text: str, *, is_after_mark: bool) -> str:
    """Return a text between marks; `[^1](` or `[^1]:` would be more than a mark."""
    text = _LINE_ENDS.sub("\n", text)
    if is_after_mark and text.startswith(_JOINS):
        return f"\\{text[0]}{_inert(text[1:])}"
    return _inert(text)


def _note(citation: Mapping[str, Any]) -> str:
    """Return document, page and quote, whichever are known."""
    page = citation.get("page")
    place = f"p. {page}" if page is not None else citation.get("label")
    known = [str(each) for each in (citation.get("filename"), place) if each]
    source = _inert(_one_line(", ".join(known)))
    quote = citation.get("quote")
    return f"{source}: “{_inert(_one_line(str(quote)))}”" if quote else source


def _inert(text: str) -> str:
    """Return a text with its addresses as code, and no sign that means anything.

    Code is the one form of which no renderer makes a link: some look for addresses
    after they have read escapes and entities.
    """
    parts: list[str] = []
    end = 0
    for found in _RUN.finditer(text):
        if _LINKABLE.search(found.group()):
            address = found.group().rstrip(".,;:!?")
            parts += [_escaped(text[end : found.start()]), f"`{address}`"]
            end = found.start() + len(address)
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    # A backslash before `<` could still belong to an address before it.
    return _MARKUP.sub("&lt;", _LIVE.sub(r"\\\g<0>", text))


def _one_line(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
