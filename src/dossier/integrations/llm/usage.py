"""Token counts that servers report: impossible ones were not reported."""

from typing import Any

from pydantic_ai.usage import RequestUsage

from dossier.integrations.llm.types import Usage

_MAX_TOKENS = 10**9


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


def usage_of(usage: RequestUsage, *, is_whole: bool = True) -> Usage:
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
