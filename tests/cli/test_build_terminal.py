"""How a build shows names of files on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.cli.samples import build_result

from dossier.cli.builder.result import summary
from dossier.cli.builder.terminal import NAME_COLUMNS, display_name, escaped, padded
from dossier.cli.builder.types import ImportedDocument, RefusedFile


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("label.txt", "label.txt"),
        ("a\nitem 99: forged.txt", r"a\nitem 99: forged.txt"),
        ("\x1b[2J.pdf", r"\x1b[2J.pdf"),
        ("gpj\u202efdp.pdf", r"gpj\u202efdp.pdf"),
        ("line\u2028end.pdf", r"line\u2028end.pdf"),
        ("bad\udcff.txt", r"bad\udcff.txt"),
    ],
)
def test_control_characters_are_escaped(name: str, expected: str) -> None:
    assert display_name(name) == expected


def test_long_name_keeps_its_beginning_and_its_end() -> None:
    assert (
        display_name(f"first{'x' * 100}last.pdf")
        == f"first{'x' * 25}…{'x' * 21}last.pdf"
    )


@given(st.text(alphabet=st.sampled_from("ab玫\n\x1b\u202e."), max_size=200))
def test_any_name_takes_one_line_of_bounded_width(name: str) -> None:
    shown = display_name(name)

    assert escaped(shown) == shown
    assert cell_len(shown) <= NAME_COLUMNS
    assert cell_len(padded(shown, NAME_COLUMNS)) == NAME_COLUMNS


def test_name_with_line_breaks_adds_no_line_to_the_summary() -> None:
    name = "a\n  item 14: found"
    paper = ImportedDocument(
        name=name, document_id="d9", is_duplicate=False, unreadable=None
    )

    lines = list(
        summary(
            build_result(imported=(paper,), refused=(RefusedFile(name, "empty\n"),))
        )
    )

    assert not any("\n" in line.text for line in lines)
    assert sum(line.text.startswith(r"  a\n  item 14: found") for line in lines) == 2
