"""Events of a job's log: how they are stored and sent, and which of them count.

An event is JSON from the beginning: what is stored is what is sent, so that a replay
after days repeats the stream byte for byte.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from dossier.jobs.constants import RUN_RESTARTED
from dossier.jobs.types import JobEvent

_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class EventBatch(NamedTuple):
    """Events of one attempt that are stored, or refused, as a whole."""

    org_id: UUID
    job_id: UUID
    attempt: int
    first_seq: int
    last_seq: int
    events: str
    """A JSON array of their data."""


def make_event(number: int, kind: str, data: Mapping[str, Any]) -> JobEvent:
    """Return an event; its data repeat the type and the number."""
    if not _TYPE.fullmatch(kind):
        message = f"not the name of an event: {kind!r}"
        raise ValueError(message)
    members = {"type": kind, "sequence_number": number, **data}
    members["type"], members["sequence_number"] = kind, number
    return JobEvent(number, kind, members)


def make_batch(
    org_id: UUID, job_id: UUID, attempt: int, events: Sequence[JobEvent]
) -> EventBatch:
    """Return events in the form that is stored."""
    array = b"[%b]" % b",\n".join([encode(event.data) for event in events])
    first, last = events[0].sequence_number, events[-1].sequence_number
    return EventBatch(org_id, job_id, attempt, first, last, array.decode())


def read_batch(array: str) -> list[JobEvent]:
    """Return the events of a stored batch."""
    return [
        JobEvent(data["sequence_number"], data["type"], data)
        for data in orjson.loads(array)
    ]


def surviving(events: Iterable[JobEvent]) -> list[JobEvent]:
    """Return the events that count for a reader: the rule of `run.restarted`.

    Those between `kept_through` and the restart do not count: they came from an attempt
    that was lost, or the handler took them back.
    """
    kept: list[JobEvent] = []
    for event in events:
        if event.type == RUN_RESTARTED:
            through = event.data["kept_through"]
            while kept and kept[-1].sequence_number > through:
                kept.pop()
        kept.append(event)
    return kept


def encode(members: Mapping[str, Any]) -> bytes:
    """Return data as JSON in one line."""
    try:
        return orjson.dumps(members)
    except TypeError:
        # Half of a surrogate pair, as models send when they cut a token: stored as `?`.
        whole = json.dumps(members, ensure_ascii=False).encode("utf-8", "replace")
        return orjson.dumps(orjson.loads(whole))
