"""An event of a run, encoded once for all who read it.

The bytes of a server-sent event are made when it is emitted, and shared from then on:
by the followers, by the row that stores it, and by whoever replays it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from dossier.runs.constants import RESTARTED

_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_EVENT = b"\nevent: "
_DATA = b"\ndata: "


class RunEvent(NamedTuple):
    """One event; `frame` is what a stream sends, and the only thing that is kept."""

    sequence_number: int
    frame: bytes

    @property
    def type(self) -> str:
        """Return the event's name."""
        start = self.frame.index(_EVENT) + len(_EVENT)
        return self.frame[start : self.frame.index(_DATA)].decode()

    @property
    def json(self) -> bytes:
        """Return the data as it was encoded: one line."""
        return self.frame[self.frame.index(_DATA) + len(_DATA) : -2]

    @property
    def data(self) -> dict[str, Any]:
        """Return the data, which repeats `type` and `sequence_number`."""
        data: dict[str, Any] = orjson.loads(self.json)
        return data


class Batch(NamedTuple):
    """Events that are stored as one row."""

    first_sequence: int
    last_sequence: int
    events: str
    """A JSON array of their data."""


def make_event(number: int, kind: str, data: Mapping[str, Any]) -> RunEvent:
    """Return an event, encoded."""
    return RunEvent(number, frame_of(number, kind, data))


def frame_of(number: int, kind: str, data: Mapping[str, Any]) -> bytes:
    """Return what a stream sends of an event."""
    members = {"type": kind, "sequence_number": number, **data}
    members["type"], members["sequence_number"] = kind, number
    return b"id: %d%b%b\n\n" % (number, _middle(kind), _encoded(members))


def batch_of(events: Sequence[RunEvent]) -> Batch:
    """Return a row's worth of events."""
    array = b"[%b]" % b",\n".join([event.json for event in events])
    first, last = events[0].sequence_number, events[-1].sequence_number
    return Batch(first, last, array.decode())


def unfolded(array: str, after: int = 0) -> list[RunEvent]:
    """Return the events of a stored row whose numbers are above `after`."""
    return [
        make_event(data["sequence_number"], data["type"], data)
        for data in orjson.loads(array)
        if data["sequence_number"] > after
    ]


def surviving(events: Iterable[RunEvent]) -> list[RunEvent]:
    """Return what a client keeps of a stream: the rule of `run.restarted`.

    What lies between `kept_through` and the restart was shown by a process that died,
    and is made anew.
    """
    kept: list[RunEvent] = []
    for event in events:
        if event.type == RESTARTED:
            through = event.data["kept_through"]
            while kept and kept[-1].sequence_number > through:
                kept.pop()
        kept.append(event)
    return kept


@lru_cache(maxsize=256)
def _middle(kind: str) -> bytes:
    if not _TYPE.fullmatch(kind):
        message = f"not the name of an event: {kind!r}"
        raise ValueError(message)
    return b"%b%b%b" % (_EVENT, kind.encode(), _DATA)


def _encoded(members: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(members)
    except TypeError:
        # Half of a character, as models send when they cut a token: shown as `?`.
        whole = json.dumps(members, ensure_ascii=False).encode("utf-8", "replace")
        return orjson.dumps(orjson.loads(whole))
