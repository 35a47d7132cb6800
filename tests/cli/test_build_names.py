"""How names of files are shown by a build."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.cli.samples import outcome

from dossier.cli.builder.folder import Refusal
from dossier.cli.builder.names import MAX_COLUMNS, padded, plain, shown
from dossier.cli.builder.outcome import TakenPaper
from dossier.cli.builder.summary import summary


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("label.txt", "label.txt"),
        ("a\nitem 99: forged.txt", r"a\nitem 99: forged.txt"),
        ("\x1b[2J.pdf", r"\x1b[2J.pdf"),
        ("gpj\u202efdp.pdf", r"gpj\u202efdp.pdf"),
        ("line\u2028end.pdf", r"line\u2028end.pdf"),
        ("bad\udcff.txt", r"bad\udcff.txt"),
    ],
)
def test_what_steers_a_terminal_is_written_out(name: str, told: str) -> None:
    assert shown(name) == told


def test_a_long_name_keeps_its_beginning_and_its_ending() -> None:
    assert shown(f"first{'x' * 100}last.pdf") == f"first{'x' * 25}…{'x' * 21}last.pdf"


@given(st.text(alphabet=st.sampled_from("ab玫\n\x1b\u202e."), max_size=200))
def test_a_name_takes_one_line_of_bounded_width(name: str) -> None:
    told = shown(name)

    assert plain(told) == told
    assert cell_len(told) <= MAX_COLUMNS
    assert cell_len(padded(told, MAX_COLUMNS)) == MAX_COLUMNS


def test_a_name_forges_no_line_of_the_summary() -> None:
    name = "a\n  item 14: found"
    paper = TakenPaper(name=name, document_id="d9", is_known=False, unreadable=None)

    lines = list(summary(outcome(taken=(paper,), refused=(Refusal(name, "empty\n"),))))

    assert not any("\n" in line.text for line in lines)
    assert sum(line.text.startswith(r"  a\n  item 14: found") for line in lines) == 2
