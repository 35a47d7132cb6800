"""Server-sent events: bytes in, events out, however the bytes are split."""

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"
_DATA = b"data"
_EVENT = b"event"
_USUAL = b"data: "
"""How nearly all lines begin; any other is taken apart."""


class SseEvent(NamedTuple):
    """One event, with its name, `b""` where none was sent."""

    name: bytes
    data: bytes


class SseTooLargeError(ValueError):
    """One event is above the limit."""


class SseParser:
    """Reads a stream of events; keeps what is not yet whole.

    Lines end in LF, CR or CRLF; text is cut anywhere, even inside a character: it
    stays bytes until a whole event is there.
    """

    __slots__ = ("_data", "_is_first", "_limit", "_name", "_skips_lf", "_tail")

    def __init__(self, max_event_bytes: int = 1024 * 1024) -> None:
        self._limit = max_event_bytes
        self._tail = b""
        self._data: list[bytes] = []
        self._name = b""
        self._skips_lf = False
        self._is_first = True

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Take the next bytes and return the events that are whole by now."""
        lines = self._lines(chunk)
        events: list[SseEvent] = []
        for line in lines:
            if line.startswith(_USUAL):
                self._data.append(line[len(_USUAL) :])
            elif line:
                self._field(line)
            else:
                self._end(events)
        if self._tail or self._data:
            self._check_size()
        return events

    def _end(self, events: list[SseEvent]) -> None:
        """Take an empty line: an event is whole where it has data."""
        if self._data:
            events.append(SseEvent(self._name, b"\n".join(self._data)))
            self._data.clear()
        self._name = b""

    def _lines(self, chunk: bytes) -> list[bytes]:
        """Return the lines that are whole; a CR may still be followed by its LF."""
        if self._skips_lf and chunk:
            self._skips_lf = False
            chunk = chunk.removeprefix(b"\n")
        text = self._tail + chunk
        if self._is_first:
            text = self._without_bom(text)
        lines = text.splitlines()
        if text.endswith((b"\n", b"\r")):
            self._tail = b""
            self._skips_lf = text.endswith(b"\r")
        else:
            self._tail = lines.pop() if lines else text
        return lines

    def _without_bom(self, text: bytes) -> bytes:
        if len(text) < len(_BOM) and _BOM.startswith(text):
            return text
        self._is_first = False
        return text.removeprefix(_BOM)

    def _field(self, line: bytes) -> None:
        """Keep what a line says; comments, ids and unknown fields say nothing to us."""
        name, _, value = line.partition(b":")
        if name == _DATA:
            self._data.append(value.removeprefix(b" "))
        elif name == _EVENT:
            self._name = value.removeprefix(b" ")

    def _check_size(self) -> None:
        size_bytes = len(self._tail) + sum(map(len, self._data))
        if size_bytes > self._limit:
            raise SseTooLargeError(size_bytes)
