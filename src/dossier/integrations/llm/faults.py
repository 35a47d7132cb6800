"""What went wrong in one attempt, and what may be done about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dossier.core.errors import AppError
from dossier.integrations.llm.exceptions import (
    ModelContextTooLongError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelResponseMalformedError,
    ModelStreamCutError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from dossier.integrations.llm.models import Outcome, Purpose

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length"
    r"|prompt is too long|context window|reduce the length of the messages",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|content_policy|safety_policy", re.IGNORECASE)
_NO_QUOTA = re.compile(
    r"insufficient_quota|billing_hard_limit|credit_balance|spend_limit", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_STATUS_OF_WORD: Mapping[str, int] = {
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "overloaded_error": 529,
    "overloaded": 503,
    "server_error": 500,
    "api_error": 500,
    "internal_server_error": 500,
    "timeout_error": 504,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
}
_REASONS = {
    401: "the key was not accepted",
    402: "the account has no credit",
    403: "the key may not do this",
    404: "the address or the model does not exist there",
}


@dataclass(frozen=True, slots=True)
class Handling:
    """What may be done about a failure."""

    is_retried: bool = False
    """The same server may be asked again."""
    is_final: bool = False
    """No other server is asked either: the question is at fault."""
    blames_server: bool = True
    """Counts for the server's breaker."""
    is_free: bool = False
    """The server did no work that it could charge."""
    retry_after_s: float | None = None


class AttemptFailedError(Exception):
    """One attempt at one server failed; `error` is what callers are told."""

    def __init__(
        self, error: AppError, outcome: Outcome, code: str, handling: Handling
    ) -> None:
        super().__init__(error.detail)
        self.error = error
        self.outcome = outcome
        self.code = code
        self.handling = handling


_QUESTION_AT_FAULT = Handling(is_final=True, blames_server=False, is_free=True)


def unreachable(label: str, why: str) -> AttemptFailedError:
    """No connection came about, or it ended before an answer began."""
    error = ModelUnavailableError(f"{label} cannot be reached: {why}.")
    handling = Handling(is_retried=True, is_free=True)
    return AttemptFailedError(error, Outcome.FAILED, "unreachable", handling)


def silent(label: str, limit_s: float | None, *, has_begun: bool) -> AttemptFailedError:
    """Nothing came in the time allowed."""
    when = "in the middle of an answer" if has_begun else "before the first token"
    long = "too long" if limit_s is None else f"{limit_s:g} s"
    error = ModelTimeoutError(f"{label} said nothing for {long} {when}.")
    code = "idle_timeout" if has_begun else "first_token_timeout"
    return AttemptFailedError(error, Outcome.TIMED_OUT, code, Handling())


def cut(label: str, *, has_begun: bool) -> AttemptFailedError:
    """The answer ended without its end."""
    error = ModelStreamCutError(f"{label} broke off before its answer was whole.")
    return AttemptFailedError(
        error, Outcome.CUT, "cut", Handling(is_retried=not has_begun)
    )


def malformed(label: str, why: str) -> AttemptFailedError:
    """The answer is not of the protocol."""
    error = ModelResponseMalformedError(f"{label} answered {why}.")
    return AttemptFailedError(error, Outcome.FAILED, "malformed", Handling())


def resting(label: str, wait_s: float) -> AttemptFailedError:
    """The breaker of a server is open."""
    error = ModelUnavailableError(
        f"{label} failed too often in a row and is left alone for a while.",
        retry_after_s=max(1, round(wait_s)),
    )
    return AttemptFailedError(
        error, Outcome.FAILED, "breaker", Handling(blames_server=False)
    )


def unnamed(label: str, count: int) -> AttemptFailedError:
    """Nobody said which of a server's models is meant."""
    error = ModelUnavailableError(
        f"{label} lists {count} models for chats; a setting must name one."
    )
    handling = Handling(blames_server=False, is_free=True)
    return AttemptFailedError(error, Outcome.FAILED, "model_unnamed", handling)


def no_seat() -> ModelUnavailableError:
    """As many calls are under way as one process may have."""
    return ModelUnavailableError("All places for calls are taken.", retry_after_s=5)


def no_server(purpose: Purpose) -> ModelUnavailableError:
    """The settings name no model for a purpose."""
    return ModelUnavailableError(f"No model is set for purpose {purpose}.")


def rejected(
    label: str, status: int, body: bytes, retry_after_s: float | None = None
) -> AttemptFailedError:
    """Name an answer of 3xx, 4xx or 5xx."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    return _named(label, status, _error_of(parsed), body, retry_after_s)


def told(label: str, error: object) -> AttemptFailedError:
    """Name an error that came inside a stream, where no status tells its kind."""
    details = error if isinstance(error, dict) else {}
    return _named(label, _status_of(details), details, str(error).encode(), None)


def _named(
    label: str,
    status: int,
    details: Mapping[str, Any],
    text: bytes,
    retry_after_s: float | None,
) -> AttemptFailedError:
    told_text = text.decode(errors="replace")
    word = _word_of(details)
    if status in range(400, 500) and _TOO_LONG.search(told_text):
        error: AppError = ModelContextTooLongError(f"{label}: {word or status}.")
        return AttemptFailedError(
            error, Outcome.FAILED, "context_too_long", _QUESTION_AT_FAULT
        )
    if status in range(400, 500) and _FILTERED.search(word):
        error = ModelRefusedError(f"The filter of {label} declined.")
        return AttemptFailedError(
            error, Outcome.REFUSED, "filtered", _QUESTION_AT_FAULT
        )
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        has_quota = not _NO_QUOTA.search(told_text)
        return _limited(label, word, retry_after_s, is_retried=has_quota)
    return _refused(label, status, word, retry_after_s)


def _limited(
    label: str, word: str, retry_after_s: float | None, *, is_retried: bool
) -> AttemptFailedError:
    wait_s = None if retry_after_s is None else max(1, round(retry_after_s))
    why = f" ({word})" if word else ""
    return AttemptFailedError(
        ModelRateLimitedError(f"{label} answered 429{why}.", retry_after_s=wait_s),
        Outcome.RATE_LIMITED,
        "http_429",
        Handling(
            is_retried=is_retried,
            blames_server=False,
            is_free=True,
            retry_after_s=retry_after_s,
        ),
    )


def _refused(
    label: str, status: int, word: str, retry_after_s: float | None
) -> AttemptFailedError:
    why = _REASONS.get(status) or word.replace("_", " ")
    if status in range(300, 400):
        why = "it points to another address, which is not followed"
    wait_s = None if retry_after_s is None else max(1, round(retry_after_s))
    detail = f"{label} answered {status}{': ' if why else ''}{why}."
    is_server_fault = status >= 500  # noqa: PLR2004 - 5xx
    return AttemptFailedError(
        ModelUnavailableError(detail, retry_after_s=wait_s),
        Outcome.FAILED,
        f"http_{status}",
        Handling(
            is_retried=is_server_fault,
            blames_server=is_server_fault,
            is_free=True,
            retry_after_s=retry_after_s,
        ),
    )


def _error_of(parsed: object) -> Mapping[str, Any]:
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else None
    return error if isinstance(error, dict) else {}


def _status_of(details: Mapping[str, Any]) -> int:
    """Return the status that an error without one would have had."""
    for name in ("code", "type", "status"):
        value = details.get(name)
        if isinstance(value, int) and value in range(400, 600):
            return value
        if isinstance(value, str) and value in _STATUS_OF_WORD:
            return _STATUS_OF_WORD[value]
    return 500


def _word_of(details: Mapping[str, Any]) -> str:
    """Return the machine word of an error: messages may repeat keys and prompts."""
    for name in ("code", "type"):
        value = details.get(name)
        if isinstance(value, str) and _WORD.fullmatch(value):
            return value
    return ""
