"""The last step before the app: earlier refusals, the body limit, failures."""

from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dossier.core.errors import AppError, BadRequestError
from dossier.core.logging import bound
from dossier.core.problems import (
    IDENTITY,
    BodyTooLargeError,
    ContentEncodedError,
    as_app_error,
    log_failure,
    problem_response,
)

REFUSAL_KEY = "dossier.refusal"


class Admission:
    """Answers what was refused, and whatever the app could not answer itself."""

    def __init__(
        self, app: ASGIApp, max_body_bytes: int, is_upload: Callable[[str, str], bool]
    ) -> None:
        self.app = app
        self._max_body_bytes = max_body_bytes
        self._is_upload = is_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        refusal = scope.get(REFUSAL_KEY) or self._check_body(scope)
        if refusal is not None:
            await _answer(refusal, scope, receive, send)
            return
        watched = _Watched(send)
        try:
            await self.app(scope, self._counted(scope, receive), watched.send)
        except ClientDisconnect:
            return  # nobody is there to be answered
        except Exception as exc:  # the edge: every failure gets an answer
            error = as_app_error(exc)
            log_failure(exc, error)
            if watched.has_started:
                raise
            await _answer(error, scope, receive, send)

    def _check_body(self, scope: Scope) -> AppError | None:
        headers = dict(scope["headers"])
        encoding = headers.get(b"content-encoding")
        length = headers.get(b"content-length")
        if encoding is not None and encoding.lower() != IDENTITY.encode():
            return _encoded(encoding)
        return None if length is None else self._check_stated(scope, length)

    def _check_stated(self, scope: Scope, value: bytes) -> AppError | None:
        if not value.isdigit():
            return BadRequestError("`Content-Length` is not a number.")
        return self._check_size(scope, int(value))

    def _check_size(self, scope: Scope, size_bytes: int) -> AppError | None:
        if size_bytes <= self._max_body_bytes:
            return None
        if self._is_upload(scope["method"], scope["path"]):
            return None  # the route counts by itself, against its own limit
        limit = self._max_body_bytes
        return BodyTooLargeError(f"At most {limit} bytes are taken here.")

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """Count a body that does not say how long it is."""
        received_bytes = 0

        async def counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            error = self._check_size(scope, received_bytes)
            if error is not None:
                raise error
            return message

        return counted


def _encoded(encoding: bytes) -> ContentEncodedError:
    name = encoding.decode("latin-1")
    return ContentEncodedError(f"Send the body without `Content-Encoding: {name}`.")


class _Watched:
    """Remembers whether the answer has begun."""

    __slots__ = ("_send", "has_started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False

    async def send(self, message: Message) -> None:
        self.has_started = True
        await self._send(message)


async def _answer(error: AppError, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem_response(
        error, instance=scope["path"], request_id=bound().request_id
    )
    await response(scope, receive, send)
