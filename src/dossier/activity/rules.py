"""Hashes of the activity log: one per row, and the chain over them.

The row hash is SHA-256 over the canonical JSON of the row (keys sorted, no spaces,
UTF-8); the chain hash is SHA-256 over the previous chain hash and the row hash, both
as lower-case hex.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from dossier.activity.constants import GENESIS_HASH, ChainFault
from dossier.activity.exceptions import UnhashableDetailError
from dossier.activity.types import ChainBreak, ChainHead, ChainLink


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of one event's content, in hex."""
    content = {key: _canonical(value) for key, value in row.items()}
    try:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # orjson takes integers of 64 bits; `json` writes the same text
        canonical = json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    return hashlib.sha256(canonical).hexdigest()


def _canonical(value: Any) -> Any:
    # `str` first: most values are plain text.
    if value is None or type(value) is str:
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(inner) for inner in value]
    if isinstance(value, str | int):
        return value
    message = f"{type(value).__name__} in the details; use text"
    raise UnhashableDetailError(message)


def chain_hash(previous: str, row: str) -> str:
    """Return the chain's hash after one more row."""
    return hashlib.sha256(f"{previous}{row}".encode("ascii")).hexdigest()


class ChainWalk:
    """Verifies a chain link by link and stops at the first fault."""

    def __init__(self, exported: ChainHead | None = None) -> None:
        self._exported = exported
        self.head = ChainHead(0, GENESIS_HASH)
        self.broken: ChainBreak | None = None

    def step(self, link: ChainLink) -> bool:
        """Verify the next link; return whether the chain is unbroken so far."""
        fault = self._fault(link)
        if fault is None:
            self.head = ChainHead(link.position, link.chain_hash)
            return True
        place = link.position
        if fault is ChainFault.MISSING:
            place = min(place, self.head.position + 1)
        self.broken = ChainBreak(place, link.event_id, fault)
        return False

    def finish(self) -> None:
        """Compare the end with the exported head."""
        exported = self._exported
        if self.broken is None and exported and exported.position > self.head.position:
            self.broken = ChainBreak(self.head.position + 1, None, ChainFault.TAIL_CUT)

    def _fault(self, link: ChainLink) -> ChainFault | None:
        if link.position != self.head.position + 1 or link.content_hash is None:
            return ChainFault.MISSING
        if link.content_hash != link.row_hash:
            return ChainFault.CHANGED
        expected = chain_hash(self.head.chain_hash, link.row_hash)
        exported = self._exported
        differs_from_export = (
            exported is not None
            and exported.position == link.position
            and exported.chain_hash != link.chain_hash
        )
        if expected != link.chain_hash or differs_from_export:
            return ChainFault.REORDERED
        return None
