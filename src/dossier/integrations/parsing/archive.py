"""Refuses zip files that unpack to far more than their size, before they are opened.

The figures at the end of the file are checked first, so that a directory of millions of
entries is not even parsed.
"""

import os
import struct
from typing import BinaryIO, Final, NoReturn
from zipfile import BadZipFile, ZipFile

from dossier.integrations.parsing.exceptions import (
    PASSWORD_DETAIL,
    UnreadableFileError,
    UnreadableReason,
)

MAX_ENTRIES: Final = 10_000
MAX_UNPACKED_BYTES: Final = 512 * 1024 * 1024
MAX_RATIO: Final = 200
_RATIO_FLOOR_BYTES: Final = 8 * 1024 * 1024
"""Small entries compress well by nature; below this the ratio is not checked."""
_MAX_DIRECTORY_BYTES: Final = 4 * 1024 * 1024
_END_MARK: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_TAIL_BYTES: Final = _END_BYTES + 0xFFFF
_ENCRYPTED_FLAG: Final = 0x1
_NAMED_ENTRIES: Final = 5


def check_archive(file: BinaryIO) -> None:
    """Raise when a zip file is damaged, protected by a password or a bomb."""
    packed_bytes = file.seek(0, os.SEEK_END)
    file.seek(max(0, packed_bytes - _TAIL_BYTES))
    tail = file.read()
    at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise _damaged()
    count, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    # All ones mean "see the 64-bit record": more than any document has.
    if count > MAX_ENTRIES or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise _too_many(count)
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
    except (BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged() from error
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise UnreadableFileError(UnreadableReason.ENCRYPTED, PASSWORD_DETAIL)
    if len(entries) > MAX_ENTRIES:
        raise _too_many(len(entries))
    unpacked_bytes = sum(entry.file_size for entry in entries)
    allowed_bytes = max(_RATIO_FLOOR_BYTES, packed_bytes * MAX_RATIO)
    if unpacked_bytes > min(MAX_UNPACKED_BYTES, allowed_bytes):
        detail = f"it would unpack from {packed_bytes} to {unpacked_bytes} bytes"
        raise UnreadableFileError(UnreadableReason.ZIP_BOMB, detail)


def _too_many(count: int) -> UnreadableFileError:
    detail = f"it lists {count} entries; at most {MAX_ENTRIES} are read"
    return UnreadableFileError(UnreadableReason.ZIP_BOMB, detail)


def _damaged() -> UnreadableFileError:
    detail = "its zip directory is damaged; save the file again"
    return UnreadableFileError(UnreadableReason.CORRUPT, detail)


def refuse(file: BinaryIO) -> NoReturn:
    """Refuse an archive that is no document, by the names of what it holds."""
    check_archive(file)
    with ZipFile(file) as archive:
        names = [each.filename for each in archive.infolist() if not each.is_dir()]
    shown = ", ".join(names[:_NAMED_ENTRIES])
    more = ", …" if len(names) > _NAMED_ENTRIES else ""
    detail = (
        f"it is an archive of {len(names)} files ({shown}{more}), not read;"
        " unpack it and hand in each file"
    )
    zh = f"壓縮檔內含 {len(names)} 個檔案（{shown}{more}），未讀取；請解壓縮後逐一上傳"
    raise UnreadableFileError(UnreadableReason.UNSUPPORTED, detail, zh)
