"""Failures of one call: what pydantic-ai and the clients raise, as our problems."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_ai import exceptions as theirs
from typing_extensions import override

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
from dossier.integrations.llm.plan import VENDOR_HOSTS
from dossier.integrations.llm.responses import BodyCutError, bounded_s
from dossier.integrations.llm.types import CallOutcome

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length"
    r"|prompt is too long|context window|reduce the length of the messages",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|content_policy|safety_policy", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_REASONS = {
    401: "the key was not accepted",
    402: "the account has no credit",
    403: "the key may not do this",
    404: "the address or the model does not exist there",
}


@dataclass(eq=False)
class CallFailedError(Exception):
    """One call of one server failed; `error` is the problem that callers get."""

    error: AppError
    outcome: CallOutcome
    code: str
    is_final: bool = False
    """No other server is asked: the fault lies in the request."""
    blames_server: bool = True
    """Counts for the server's circuit breaker."""
    is_free: bool = False
    """The server did no work that it could charge."""

    @override
    def __str__(self) -> str:
        return self.error.detail


def named(label: str) -> str:
    """Return what users read of a server: a vendor's host, never one of our network.

    The ledger of calls has the host itself.
    """
    return label if label in VENDOR_HOSTS else "The model server"


def failure_of(label: str, error: Exception, *, has_begun: bool) -> CallFailedError:
    """Return what an error of a call means; its own text may hold keys and prompts."""
    if isinstance(error, CallFailedError):
        return error
    if isinstance(error, theirs.ModelRequestTimeout):
        return silent(label, error.timeout, has_begun=has_begun)
    if isinstance(error, theirs.ModelConnectionError):
        return _of_connection(label, error, has_begun=has_begun)
    if not isinstance(error, theirs.ModelAPIError):
        return malformed(label, "what its protocol does not know")
    return _of_answer(label, error)


def unreachable(label: str, why: str) -> CallFailedError:
    """No connection was made, or it ended before an answer began."""
    error = ModelUnavailableError(f"{named(label)} cannot be reached: {why}.")
    return CallFailedError(error, CallOutcome.FAILED, "unreachable", is_free=True)


def silent(label: str, limit_s: float, *, has_begun: bool) -> CallFailedError:
    """Nothing came in the time allowed."""
    when = "in the middle of an answer" if has_begun else "before the first token"
    error = ModelTimeoutError(f"{named(label)} said nothing for {limit_s:g} s {when}.")
    code = "idle_timeout" if has_begun else "first_token_timeout"
    return CallFailedError(error, CallOutcome.TIMED_OUT, code)


def cut(label: str, code: str = "cut") -> CallFailedError:
    """The answer ended without its end."""
    error = ModelStreamCutError(
        f"{named(label)} broke off before its answer was whole."
    )
    return CallFailedError(error, CallOutcome.CUT, code)


def malformed(label: str, why: str) -> CallFailedError:
    """The answer is not of the protocol."""
    error = ModelResponseMalformedError(f"{named(label)} answered {why}.")
    return CallFailedError(error, CallOutcome.FAILED, "malformed")


def breaker_open(label: str, wait_s: float) -> CallFailedError:
    """The circuit breaker of a server is open."""
    error = ModelUnavailableError(
        f"{named(label)} failed too often in a row and is not asked for a while.",
        retry_after_s=max(1, round(wait_s)),
    )
    return CallFailedError(error, CallOutcome.FAILED, "breaker", blames_server=False)


def unnamed(label: str, count: int) -> CallFailedError:
    """The settings do not say which of a server's models is meant."""
    error = ModelUnavailableError(
        f"{named(label)} lists {count} models for chats; a setting must name one."
    )
    return CallFailedError(
        error, CallOutcome.FAILED, "model_unnamed", blames_server=False, is_free=True
    )


def _of_answer(label: str, error: theirs.ModelAPIError) -> CallFailedError:
    status = getattr(error, "status_code", None)
    if status is None:  # the library has no class for 3xx
        status = getattr(error.__cause__, "status_code", None)
    if status is not None or error.in_stream:
        if status is None:  # an error inside a stream may name one
            code = _details(error.body).get("code")
            status = code if isinstance(code, int) and code in range(400, 600) else 500
        return _rejected(label, status, error)
    if isinstance(error.__cause__, ValueError):
        return malformed(label, "what is not JSON")
    return cut(label)


def _of_connection(
    label: str, error: theirs.ModelConnectionError, *, has_begun: bool
) -> CallFailedError:
    root: BaseException = error
    while root.__cause__ is not None and not isinstance(root, BodyCutError):
        root = root.__cause__
    is_in_body = isinstance(root, BodyCutError) or "message body" in str(root)
    if has_begun or is_in_body:
        return cut(label)
    in_time = " in time" if isinstance(error, theirs.ModelTimeoutError) else ""
    return unreachable(label, f"no connection{in_time}")


def _rejected(label: str, status: int, error: theirs.ModelAPIError) -> CallFailedError:
    """Name an answer of 3xx, 4xx or 5xx, or such an error inside a stream."""
    details = _details(error.body)
    # Its machine-readable word alone: messages may repeat prompts.
    words = (details.get("code"), details.get("type"))
    word = next((w for w in words if isinstance(w, str) and _WORD.fullmatch(w)), "")
    is_clients_fault = status in range(400, 500)
    if is_clients_fault and _TOO_LONG.search(f"{word} {error.body}"):
        return _request_at_fault(
            ModelContextTooLongError(f"{named(label)}: {word or status}."),
            "context_too_long",
        )
    if is_clients_fault and _FILTERED.search(word):
        refused = ModelRefusedError("The filter of the model server declined.")
        return _request_at_fault(refused, "filtered", CallOutcome.REFUSED)
    asked_s = bounded_s(error.retry_after)
    wait_s = None if asked_s is None else max(1, round(asked_s))
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        why = f" ({word})" if word else ""
        return CallFailedError(
            ModelRateLimitedError(
                f"{named(label)} answered 429{why}.", retry_after_s=wait_s
            ),
            CallOutcome.RATE_LIMITED,
            "http_429",
            blames_server=False,
            is_free=True,
        )
    why = _REASONS.get(status) or word.replace("_", " ")
    if status in range(300, 400):
        why = "it points to another address, which is not followed"
    detail = f"{named(label)} answered {status}{': ' if why else ''}{why}."
    return CallFailedError(
        ModelUnavailableError(detail, retry_after_s=wait_s),
        CallOutcome.FAILED,
        f"http_{status}",
        blames_server=status >= 500,  # noqa: PLR2004 - 5xx
        is_free=True,
    )


def _request_at_fault(
    error: AppError, code: str, outcome: CallOutcome = CallOutcome.FAILED
) -> CallFailedError:
    return CallFailedError(
        error, outcome, code, is_final=True, blames_server=False, is_free=True
    )


def _details(body: object) -> Mapping[str, Any]:
    error = body.get("error", body) if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
