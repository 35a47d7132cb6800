from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from tests.factories.documents import bomb_xlsx_bytes

from dossier.integrations.parsing import archive
from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)


def reason_of(content: bytes) -> UnreadableReason:
    with pytest.raises(UnreadableFileError) as caught:
        check_archive(BytesIO(content))
    return caught.value.reason


def zip_of_entries(count: int) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as file:
        for index in range(count):
            file.writestr(str(index), b"")
    return out.getvalue()


def locked_zip() -> bytes:
    content = bytearray(zip_of_entries(1))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def test_an_ordinary_workbook_passes() -> None:
    file = BytesIO()
    book = openpyxl.Workbook()
    for _ in range(100):
        book.worksheets[0].append(["Aqua", 80.0] * 10)
    book.save(file)

    check_archive(file)


def test_a_bomb_is_refused_before_it_is_opened() -> None:
    assert reason_of(bomb_xlsx_bytes()) is UnreadableReason.ZIP_BOMB


def test_a_directory_of_too_many_entries_is_refused_before_it_is_parsed() -> None:
    honest = zip_of_entries(3)
    overstated = bytearray(honest)
    end = overstated.rindex(b"PK\x05\x06")
    overstated[end + 10 : end + 12] = (0xFFFF).to_bytes(2, "little")

    assert reason_of(bytes(overstated)) is UnreadableReason.ZIP_BOMB


def test_a_directory_that_understates_its_entries_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 10)
    content = bytearray(zip_of_entries(11))
    end = content.rindex(b"PK\x05\x06")
    content[end + 10 : end + 12] = (3).to_bytes(2, "little")

    assert reason_of(bytes(content)) is UnreadableReason.ZIP_BOMB


def test_a_locked_archive_is_encrypted_not_corrupt() -> None:
    assert reason_of(locked_zip()) is UnreadableReason.ENCRYPTED


def zip_of_broken_entries() -> bytes:
    return zip_of_entries(3).replace(b"PK\x01\x02", b"PK\x01\xff")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 cut off", zip_of_entries(3)[:-10], zip_of_broken_entries()],
)
def test_a_damaged_directory_is_refused(content: bytes) -> None:
    assert reason_of(content) is UnreadableReason.CORRUPT


def test_small_entries_may_compress_well() -> None:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as writer:
        writer.writestr("styles.xml", bytes(1 << 20))

    check_archive(file)
