"""Log lines on standard error, each with the ids of its request or job.

They are JSON, except on a terminal, where a person reads them.
"""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from typing_extensions import override

from dossier.core.clock import now

ACCESS_LOGGER = "dossier.access"

# Attributes of every record; any other was passed as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",
    "message",
    "taskName",
}
# These have loggers of their own configuration; their lines pass ours instead.
_THIRD_PARTY = ("uvicorn", "uvicorn.error", "uvicorn.access", "py.warnings")


@dataclass(slots=True)
class LogContext:
    """The ids that each line of one request or job carries.

    It is changed in place, so that the access line has the actor that a route found.
    """

    request_id: str | None = None
    org_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    job_id: str | None = None


_current: ContextVar[LogContext | None] = ContextVar("dossier_log", default=None)


def bound() -> LogContext:
    """Return the present context; outside of any, an empty one."""
    return _current.get() or LogContext()


def bind_actor(
    org_id: object, user_id: object, api_key_id: object | None = None
) -> None:
    """Add the actor to all later lines of this request or job."""
    context = _current.get()
    if context is not None:
        context.org_id = str(org_id)
        context.user_id = None if user_id is None else str(user_id)
        context.api_key_id = None if api_key_id is None else str(api_key_id)


@contextmanager
def log_context(**ids: object) -> Iterator[LogContext]:
    """Add these ids to every line inside the block."""
    named = {key: str(value) for key, value in ids.items() if value is not None}
    context = replace(bound(), **named)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def context_members() -> dict[str, str]:
    """Return the ids that are known."""
    context = _current.get()
    if context is None:
        return {}
    members = {
        "request_id": context.request_id,
        "org_id": context.org_id,
        "user_id": context.user_id,
        "api_key_id": context.api_key_id,
        "job_id": context.job_id,
    }
    return {key: value for key, value in members.items() if value is not None}


def enter_context(context: LogContext) -> Token[LogContext | None]:
    """Carry a context from here on; the token ends it."""
    return _current.set(context)


def leave_context(token: Token[LogContext | None]) -> None:
    """End a context."""
    _current.reset(token)


def write_stderr(line: bytes) -> None:
    """Write one line at once; a short write to a pipe is never torn."""
    os.write(2, line)


def access_line(context: LogContext, members: dict[str, Any]) -> bytes:
    """Render the line of one request; a tenth of what the `logging` module costs."""
    line = {
        "time": now().isoformat(),
        "level": "info",
        "logger": ACCESS_LOGGER,
        "event": "http.request.finished",
        **members,
        "request_id": context.request_id,
        "org_id": context.org_id,
        "user_id": context.user_id,
        "api_key_id": context.api_key_id,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class JsonFormatter(logging.Formatter):
    """Renders a record as one JSON object."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(context_members())
        line.update((k, v) for k, v in vars(record).items() if k not in _STANDARD)
        exc = record.exc_info[1] if record.exc_info else None
        if exc is not None:
            line["error"] = type(exc).__name__
            line["traceback"] = "".join(traceback.format_exception(exc))
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class TerminalFormatter(logging.Formatter):
    """Renders a record as a short line: time, level, event and what belongs to it."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and the traceback of its exception below it."""
        members = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        line = [
            f"{datetime.fromtimestamp(record.created):%H:%M:%S}",  # noqa: DTZ006 - local
            record.levelname.lower().ljust(7),
            record.getMessage(),
            *(
                f"{name}={value}"
                for name, value in (context_members() | members).items()
            ),
        ]
        if record.exc_info:
            line.append("\n" + self.formatException(record.exc_info))
        return " ".join(line)


def configure_logging(level: str) -> None:
    """Send everything, uvicorn's lines too, to standard error."""
    is_terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TerminalFormatter() if is_terminal else JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in _THIRD_PARTY:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in ("alembic.runtime.plugins", "httpx2"):  # a line per plugin, per call
        logging.getLogger(name).setLevel(logging.WARNING)
    # Our own access line (`core/middleware.py`) says more, uvicorn's reads better.
    logging.getLogger("uvicorn.access").disabled = not is_terminal
    logging.getLogger(ACCESS_LOGGER).setLevel(
        logging.WARNING if is_terminal else logging.NOTSET
    )
