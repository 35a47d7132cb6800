"""Streams the one file of a multipart body; it is never held whole.

The framework's own form parser spools the whole body before the endpoint runs. Here the
pieces are passed on as they arrive, and a file above the limit is refused meanwhile.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from dossier.core.errors import (
    BadRequestError,
    Fault,
    InvalidError,
    TooLargeError,
    UnsupportedMediaTypeError,
)

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE_FIELD: Final = "file"
NAME_FIELD: Final = "filename"
_FIELD_BYTES: Final = 4096
_MAX_PARTS: Final = 16
_OVERHEAD_BYTES: Final = 64 * 1024
"""What boundaries, headers and small fields may add to the file."""
_UNFRAMED: Final = (
    "The body is not framed as multipart/form-data with the boundary that"
    " `Content-Type` names."
)

UPLOAD_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILE_FIELD],
                    "properties": {
                        FILE_FIELD: {"type": "string", "format": "binary"},
                        NAME_FIELD: {
                            "type": "string",
                            "description": "A better name than the file's own.",
                        },
                    },
                }
            }
        },
    }
}
"""`openapi_extra` of a route that takes one file."""


class UploadNotMultipartError(UnsupportedMediaTypeError):
    """The body is not `multipart/form-data`."""

    title: ClassVar[str] = "Not a multipart upload"


class UploadMalformedError(BadRequestError):
    """The multipart body is cut off or malformed."""

    title: ClassVar[str] = "Malformed upload"


class UploadTooLargeError(TooLargeError):
    """The file is above the limit of this installation."""

    title: ClassVar[str] = "File too large"


class UploadFieldError(InvalidError):
    """The body has another shape than one file, with a name at most."""

    title: ClassVar[str] = "Unexpected upload fields"


@dataclass(slots=True)
class _Part:
    """The part that is being read."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None
    header_name: bytes = b""
    header_value: bytes = b""


class MultipartUpload:
    """One file in a multipart body; `pieces` must be read to its end."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        self._request = request
        self._max_bytes = max_bytes
        self._part = _Part()
        self._fields: dict[str, bytes] = {}
        self._arrived: list[bytes] = []
        self._part_count = 0
        self._filename: str | None = None
        self._has_ended = False
        self._parser = self._made_parser()
        stated = request.headers.get("content-length", "")
        if stated.isdecimal():
            self._check(0, int(stated))

    @property
    def filename(self) -> str:
        """Return the name that the client sent, unchecked."""
        stated = _decoded(self._fields.get(NAME_FIELD, b""))
        return stated or self._filename or ""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes as they arrive; refuse a body of another shape."""
        size_bytes = body_bytes = 0
        async for chunk in self._request.stream():
            body_bytes += len(chunk)
            self._arrived = []
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise UploadMalformedError(_UNFRAMED) from error
            for piece in self._arrived:
                size_bytes += len(piece)
                yield piece
            self._check(size_bytes, body_bytes)
        if not self._has_ended:
            detail = "The body breaks off before its last boundary."
            raise UploadMalformedError(detail)
        if self._filename is None:
            raise _refusal(FILE_FIELD, "The file is missing.", "missing")

    def _check(self, size_bytes: int, body_bytes: int) -> None:
        if max(size_bytes, body_bytes - _OVERHEAD_BYTES) > self._max_bytes:
            name = f"{self._filename}: " if self._filename else ""
            detail = f"{name}at most {self._max_bytes // 1024**2} MiB are accepted."
            raise UploadTooLargeError(detail)

    def _made_parser(self) -> MultipartParser:
        stated = self._request.headers.get("content-type")
        media_type, options = parse_options_header(stated)
        boundary = options.get(b"boundary")
        if media_type != b"multipart/form-data":
            detail = f"Send the file as multipart/form-data, in the field {FILE_FIELD}."
            raise UploadNotMultipartError(detail)
        if not boundary:
            detail = "`Content-Type` names no boundary; HTTP clients add it themselves."
            raise UploadNotMultipartError(detail)
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }
        try:
            return MultipartParser(boundary, callbacks)
        except FormParserError as error:
            detail = "The boundary in `Content-Type` is too long."
            raise UploadMalformedError(detail) from error

    def _on_part_begin(self) -> None:
        self._part = _Part()
        self._part_count += 1
        if self._part_count > _MAX_PARTS:
            detail = f"At most {_MAX_PARTS} parts are accepted."
            raise UploadMalformedError(detail)

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _on_header_end(self) -> None:
        part = self._part
        part.headers[part.header_name.lower()] = part.header_value
        part.header_name = part.header_value = b""

    def _on_headers_finished(self) -> None:
        stated = self._part.headers.get(b"content-disposition")
        _, options = parse_options_header(stated)
        self._part.name = _decoded(options.get(b"name", b""))
        if b"filename" not in options:
            return
        if self._part.name != FILE_FIELD:
            detail = f"The file belongs in the field {FILE_FIELD}."
            raise _refusal(self._part.name, detail, "unexpected")
        if self._filename is not None:
            raise _refusal(FILE_FIELD, "One file a request.", "too_many")
        self._filename = self._part.filename = _decoded(options[b"filename"])

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.filename is not None:
            self._arrived.append(data[start:end])
            return
        value = self._fields.get(self._part.name, b"") + data[start:end]
        if len(value) > _FIELD_BYTES:
            detail = f"At most {_FIELD_BYTES} bytes are accepted in this field."
            raise _refusal(self._part.name, detail, "too_long")
        self._fields[self._part.name] = value

    def _on_end(self) -> None:
        self._has_ended = True


def _refusal(name: str, detail: str, code: str) -> UploadFieldError:
    return UploadFieldError(detail, faults=(Fault(f"#/{name}", detail, code),))


def _decoded(value: bytes) -> str:
    """Read a name; older programs on Chinese Windows send it in Big5."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp950", "replace")
