"""What is shown of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.core.visible import is_invisible, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u200bb\u2060c", "abc"),
        ("\u202eexe.fdp\u202c", "exe.fdp"),
        ("ok\U000e0068\U000e0069", "ok"),
        ("\u2605\ufe0f\U000e0101", "\u2605"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("\u7532\tb\nc", "\u7532\tb\nc"),
    ],
)
def test_invisible_characters_are_left_out(text: str, seen: str) -> None:
    assert visible(text) == seen


@given(st.text())
def test_all_else_stays_in_its_order(text: str) -> None:
    assert visible(text) == "".join(c for c in text if not is_invisible(c))
