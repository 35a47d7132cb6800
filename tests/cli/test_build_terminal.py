"""How names of files are shown by a build."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.cli.samples import outcome

from dossier.cli.builder.result import summary
from dossier.cli.builder.terminal import MAX_COLUMNS, display_name, escaped, padded
from dossier.cli.builder.types import ImportedDocument, RefusedFile


@pytest.mark.parametrize(
    ("name", "display"),
    [
        ("label.txt", "label.txt"),
        ("a\nitem 99: forged.txt", r"a\nitem 99: forged.txt"),
        ("\x1b[2J.pdf", r"\x1b[2J.pdf"),
        ("gpj\u202efdp.pdf", r"gpj\u202efdp.pdf"),
        ("line\u2028end.pdf", r"line\u2028end.pdf"),
        ("bad\udcff.txt", r"bad\udcff.txt"),
    ],
)
def test_what_steers_a_terminal_is_written_out(name: str, display: str) -> None:
    assert display_name(name) == display


def test_a_long_name_keeps_its_beginning_and_its_ending() -> None:
    assert (
        display_name(f"first{'x' * 100}last.pdf")
        == f"first{'x' * 25}…{'x' * 21}last.pdf"
    )


@given(st.text(alphabet=st.sampled_from("ab玫\n\x1b\u202e."), max_size=200))
def test_a_name_takes_one_line_of_bounded_width(name: str) -> None:
    display = display_name(name)

    assert escaped(display) == display
    assert cell_len(display) <= MAX_COLUMNS
    assert cell_len(padded(display, MAX_COLUMNS)) == MAX_COLUMNS


def test_a_name_forges_no_line_of_the_summary() -> None:
    name = "a\n  item 14: found"
    paper = ImportedDocument(
        name=name, document_id="d9", is_duplicate=False, unreadable=None
    )

    lines = list(
        summary(outcome(imported=(paper,), refused=(RefusedFile(name, "empty\n"),)))
    )

    assert not any("\n" in line.text for line in lines)
    assert sum(line.text.startswith(r"  a\n  item 14: found") for line in lines) == 2
