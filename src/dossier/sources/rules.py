"""Which request an answer belongs to, and whether it may be asked at all."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

from dossier.sources.constants import Mode


class Step(StrEnum):
    """What to do about a request."""

    REFUSE = "refuse"
    RECALL = "recall"
    FETCH = "fetch"


def request_fingerprint(
    method: str,
    url: str,
    params: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> str:
    """Return the digest of a request; keys and other headers are no part of it."""
    head = json.dumps([method.upper(), url, sorted((params or {}).items())])
    return hashlib.sha256(head.encode() + b"\n" + body).hexdigest()


def body_digest(status: int, body: bytes) -> str:
    """Return the digest of an answer: an empty 404 is not an empty 200."""
    return hashlib.sha256(f"{status}\n".encode() + body).hexdigest()


def next_step(mode: Mode, *, is_stored: bool, is_fresh: bool) -> Step:
    """Tell what a mode allows: nothing, what is stored, or asking."""
    if mode == "offline":
        return Step.REFUSE
    if mode == "cache":
        return Step.RECALL if is_stored else Step.REFUSE
    return Step.RECALL if is_stored and is_fresh else Step.FETCH
