"""Fingerprints of requests and answers, and what a mode allows."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

from dossier.sources.constants import Mode


class Step(StrEnum):
    """How a request is answered."""

    REFUSE = "refuse"
    RECALL = "recall"
    FETCH = "fetch"


def request_fingerprint(
    method: str,
    url: str,
    params: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> str:
    """Return the digest of a request, without API keys and other headers."""
    head = json.dumps([method.upper(), url, sorted((params or {}).items())])
    return hashlib.sha256(head.encode() + b"\n" + body).hexdigest()


def body_digest(status: int, body: bytes) -> str:
    """Return the digest of an answer: an empty 404 is not an empty 200."""
    return hashlib.sha256(f"{status}\n".encode() + body).hexdigest()


def next_step(mode: Mode, *, is_stored: bool, is_fresh: bool) -> Step:
    """Return whether a mode allows the stored answer, a fetch, or neither."""
    if mode == "offline":
        return Step.REFUSE
    if mode == "cache":
        return Step.RECALL if is_stored else Step.REFUSE
    return Step.RECALL if is_stored and is_fresh else Step.FETCH
