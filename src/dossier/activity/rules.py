"""Hashes of the trail: one per row, and the chain over them.

The row hash is SHA-256 over the canonical JSON of the row (keys sorted, no spaces,
UTF-8); the chain hash is SHA-256 over the previous chain hash and the row hash, both
as lower-case hex.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from dossier.activity.constants import GENESIS_HASH, Fault


class UnhashableDetailError(TypeError):
    """A detail is of a type whose text may differ after storage."""


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of one event's content, in hex."""
    content = {key: _canonical(value) for key, value in row.items()}
    return hashlib.sha256(_json(content)).hexdigest()


def _json(content: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a number of more than 64 bits: the same text, at length
        separators = (",", ":")
        told = json.dumps(
            content, sort_keys=True, separators=separators, ensure_ascii=False
        )
        return told.encode()


def _canonical(value: Any) -> Any:
    if value is None or type(value) is str:
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _canonical(inner) for key, inner in value.items()}
    return _canonical_leaf(value)


def _canonical_leaf(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    if value is None or isinstance(value, str | int):
        return value
    message = f"{type(value).__name__} in the details; use text"
    raise UnhashableDetailError(message)


def chain_hash(previous: str, row: str) -> str:
    """Return the chain's hash after one more row."""
    return hashlib.sha256(f"{previous}{row}".encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends; exported, it shows later that no tail was cut."""

    position: int
    chain_hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """One seal beside the event it seals, as they stand in the database.

    `content_hash` is computed anew from the event; `None`: there is no such event.
    """

    position: int
    event_id: UUID
    row_hash: str
    chain_hash: str
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the trail does not hold."""

    position: int
    event_id: UUID | None
    fault: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that was tried and not allowed."""

    action: str
    entity_type: str
    entity_id: str | None
    details: dict[str, Any]


class ChainWalk:
    """Walks a chain link by link and stops at the first that does not hold."""

    def __init__(self, exported: Head | None = None) -> None:
        self._exported = exported
        self.head = Head(0, GENESIS_HASH)
        self.broken: Break | None = None

    def step(self, link: Link) -> bool:
        """Take one more link; return whether the chain still holds."""
        fault = self._fault(link)
        if fault is None:
            self.head = Head(link.position, link.chain_hash)
            return True
        place = link.position
        if fault is Fault.MISSING:
            place = min(place, self.head.position + 1)
        self.broken = Break(place, link.event_id, fault)
        return False

    def finish(self) -> None:
        """Compare the end with the exported head."""
        exported = self._exported
        if self.broken is None and exported and exported.position > self.head.position:
            self.broken = Break(self.head.position + 1, None, Fault.TAIL_CUT)

    def _fault(self, link: Link) -> Fault | None:
        if link.position != self.head.position + 1 or link.content_hash is None:
            return Fault.MISSING
        if link.content_hash != link.row_hash:
            return Fault.CHANGED
        expected = chain_hash(self.head.chain_hash, link.row_hash)
        if expected != link.chain_hash or self._differs_from_export(link):
            return Fault.REORDERED
        return None

    def _differs_from_export(self, link: Link) -> bool:
        exported = self._exported
        if exported is None or exported.position != link.position:
            return False
        return exported.chain_hash != link.chain_hash
