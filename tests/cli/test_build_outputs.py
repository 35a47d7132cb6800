"""Results are written all or none; progress is shown where it helps."""

from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from dossier.cli.builder.outputs import (
    output_folder,
    require_output_folder,
    write_outputs,
)
from dossier.cli.builder.terminal import Stages
from dossier.cli.builder.types import UnusableInputError


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def content(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def broken() -> AsyncIterator[bytes]:
    yield b"half"
    message = "storage went away"
    raise ConnectionError(message)


async def test_results_are_written_without_temporary_files(tmp_path: Path) -> None:
    written = await write_outputs(
        tmp_path, {"pif.pdf": content(b"a", b"b"), "findings.json": content(b"{}")}
    )

    assert contents_of(tmp_path) == {
        "pif.pdf": b"ab",
        "findings.json": b"{}",
    }
    assert written["pif.pdf"] == tmp_path / "pif.pdf"


async def test_failure_half_way_keeps_the_earlier_results(tmp_path: Path) -> None:
    (tmp_path / "pif.pdf").write_bytes(b"earlier")

    with pytest.raises(ConnectionError):
        await write_outputs(
            tmp_path, {"pif.pdf": content(b"new"), "findings.json": broken()}
        )

    assert contents_of(tmp_path) == {"pif.pdf": b"earlier"}


def test_file_in_the_place_of_the_output_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").touch()

    with pytest.raises(UnusableInputError, match="out: cannot hold the results"):
        require_output_folder(tmp_path / "out")


def test_output_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    with output_folder(tmp_path / "new" / "out"):
        assert contents_of(tmp_path / "new" / "out") == {}

    assert list(tmp_path.iterdir()) == []


def test_output_folder_that_existed_or_holds_results_stays(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()

    with output_folder(tmp_path / "old"), output_folder(tmp_path / "new"):
        (tmp_path / "new" / "pif.pdf").touch()

    assert (tmp_path / "old").is_dir()
    assert (tmp_path / "new" / "pif.pdf").exists()


def run_two_stages(console: Console | None, line_interval_s: float = 0) -> Stages:
    stages = Stages(console, line_interval_s=line_interval_s)
    with stages.stage("Taking in", 2) as step:
        step.advance("a.pdf")
        step.advance("b[1].pdf")
    with stages.stage("Printing") as step:
        step.advance("pif.pdf")
    return stages


def test_progress_outside_a_terminal_is_plain_lines() -> None:
    console = Console(file=StringIO(), force_terminal=False)

    stages = run_two_stages(console)

    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().splitlines() == [
        "Taking in …",
        "  1/2 a.pdf",
        "  2/2 b[1].pdf",
        "Printing …",
        "  1/1 pif.pdf",
    ]
    assert list(stages.seconds) == ["Taking in", "Printing"]


def test_progress_of_a_fast_build_is_its_stages() -> None:
    console = Console(file=StringIO(), force_terminal=False)

    run_two_stages(console, line_interval_s=60)

    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().splitlines() == ["Taking in …", "Printing …"]


def test_progress_on_a_terminal_is_a_bar() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=100)

    run_two_stages(console)

    assert isinstance(console.file, StringIO)
    assert "Taking in" in console.file.getvalue()
    assert "2/2" in console.file.getvalue()


def test_without_console_only_the_times_are_recorded() -> None:
    assert list(run_two_stages(None).seconds) == ["Taking in", "Printing"]


def test_stage_without_units_shows_nothing() -> None:
    out = StringIO()

    with Stages(Console(file=out)).stage("Reading", 0):
        pass

    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("/proc/out", "the file system of /proc takes no files of users"),
        ("/dev/null", "it is a file"),
        ("/dev/null/deep/out", "/dev/null is a file"),
        ("/tmp/" + "x" * 300, "the name is too long"),  # noqa: S108 - never made
    ],
)
def test_unusable_output_folder_is_refused_with_the_real_reason(
    out: str, reason: str
) -> None:
    with pytest.raises(UnusableInputError) as caught:
        require_output_folder(Path(out))

    assert caught.value.reasons == (f"{out}: cannot hold the results: {reason}",)


def test_dangling_link_as_output_folder_is_named(tmp_path: Path) -> None:
    link = tmp_path / "out"
    link.symlink_to(tmp_path / "gone")

    with pytest.raises(UnusableInputError, match="it is a link that leads nowhere"):
        require_output_folder(link)
