"""Tokens of a call: estimated before it, as the server counted them afterwards."""

import math
import re
from typing import TYPE_CHECKING, Any

from dossier.integrations.llm.types import Usage

if TYPE_CHECKING:  # 60 MiB, which a web process needs not to estimate
    from pydantic_ai.usage import RequestUsage

TOKENS_PER_MESSAGE = 4  # its role and the marks around it
_CHARACTERS_PER_TOKEN = 3.5
_MAX_TOKENS = 10**9  # a count above was not reported
# Radicals to unified ideographs with kana and bopomofo, Hangul, compatibility and
# full-width forms, and the supplementary planes: emoji and rare ideographs.
_WIDE = re.compile(
    "[\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f"
    "\uff00-\uffef\U0001f000-\U0003ffff]"
)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, rounded up: what budgets reserve.

    An estimate: each model family cuts text in its own way, by tables that would have
    to be downloaded. A CJK character is about one token, other text about one for 3.5
    characters. What a server counts later takes the estimate's place.
    """
    wide = len(_WIDE.findall(text))
    return wide + math.ceil((len(text) - wide) / _CHARACTERS_PER_TOKEN)


def sound_counts(reported: object) -> dict[str, Any]:
    """Return a usage of OpenAI's wire in which each count may be true, or is 0."""
    usage = reported if isinstance(reported, dict) else {}
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    read, wrote = (
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
    )
    return {
        "prompt_tokens": read,
        "completion_tokens": wrote,
        "total_tokens": read + wrote,
        "prompt_tokens_details": {"cached_tokens": min(_count(cached), read)},
    }


def usage_of(usage: "RequestUsage", *, is_whole: bool = True) -> Usage:
    """Return the tokens that a server reported.

    Before the end of an answer no server has counted what it wrote.
    """
    if usage.unmeasured_requests:
        return Usage()
    read, wrote = _count(usage.input_tokens), _count(usage.output_tokens)
    cached = _count(usage.cache_read_tokens)
    return Usage(
        input_tokens=read or None,
        output_tokens=(wrote or None) if is_whole else None,
        cached_tokens=cached if read else None,
    )


def _count(reported: object) -> int:
    is_count = isinstance(reported, int) and not isinstance(reported, bool)
    return reported if is_count and 0 <= reported <= _MAX_TOKENS else 0  # type: ignore[operator, return-value] # an int
