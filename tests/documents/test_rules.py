import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.documents.rules import safe_filename


@pytest.mark.parametrize(
    ("stated", "safe"),
    [
        ("formula.xlsx", "formula.xlsx"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("安定性 試驗報告.pdf", "安定性 試驗報告.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("cafe\u0301.txt", "café.txt"),
        ("", "unnamed"),
        ("...", "unnamed"),
        ("folder/", "unnamed"),
        (".env", ".env"),
    ],
)
def test_name_becomes_safe_and_stays_readable(stated: str, safe: str) -> None:
    assert safe_filename(stated) == safe


def test_long_name_is_cut_before_its_ending() -> None:
    name = safe_filename("玫" * 200 + ".pdf")

    assert len(name.encode()) <= 255
    assert name.endswith("玫.pdf")


def test_ending_as_long_as_a_name_is_cut_too() -> None:
    assert safe_filename("a." + "b" * 400) == "a." + "b" * 253


@given(st.text(max_size=80))
def test_safe_name_never_holds_a_path(stated: str) -> None:
    name = safe_filename(stated)

    assert name not in {"", ".", ".."}
    assert not set(name) & set("/\\\x00\r\n")
    assert len(name.encode()) <= 255
    assert all(unicodedata.category(each)[0] != "C" for each in name)


@given(st.text(max_size=80))
def test_safe_name_is_not_changed_again(stated: str) -> None:
    name = safe_filename(stated)

    assert safe_filename(name) == name
