import asyncio
import os
from decimal import Decimal
from pathlib import Path
from time import monotonic

import pytest
from pydantic import ValidationError
from tests.integrations.parsing.hostile import Cell, Grid

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.reader import Limits, SandboxBrokenError, run

HOSTILE = "tests.integrations.parsing.hostile"


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "paper.txt"
    path.write_text("玫瑰", "utf-8")
    return path


async def reason_of(function: str, path: Path, limits: Limits) -> UnreadableReason:
    with pytest.raises(UnreadableFileError) as caught:
        await run(f"{HOSTILE}:{function}", path, object, limits=limits)
    return caught.value.reason


async def test_a_result_comes_back_as_the_dataclass_it_was(paper: Path) -> None:
    grid = await run(f"{HOSTILE}:well_behaved", paper, Grid, options={"sheet": "B"})

    assert grid == Grid([Cell("玫瑰", Decimal("0.10")), Cell("B", None)], {"a": (1, 2)})


async def test_a_result_of_another_shape_is_refused(paper: Path) -> None:
    with pytest.raises(ValidationError):
        await run(f"{HOSTILE}:wrongly_typed", paper, Grid)


async def test_a_hanging_parser_is_killed_in_time(paper: Path) -> None:
    began = monotonic()

    reason = await reason_of("hang", paper, Limits(wall_s=0.3))

    assert reason is UnreadableReason.TIMEOUT
    assert monotonic() - began < 2


@pytest.mark.slow(reason="the kernel counts processor time in whole seconds")
async def test_a_spinning_parser_is_stopped_by_its_processor_time(paper: Path) -> None:
    reason = await reason_of("spin", paper, Limits(cpu_s=1))

    assert reason is UnreadableReason.TIMEOUT


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("swallow_memory", UnreadableReason.MEMORY),
        ("crash", UnreadableReason.CORRUPT),
        ("babble", UnreadableReason.TOO_LARGE),
        ("refuse", UnreadableReason.ENCRYPTED),
        ("stumble", UnreadableReason.CORRUPT),
        ("phone_home", UnreadableReason.CORRUPT),
        ("start_a_program", UnreadableReason.CORRUPT),
        ("write_a_file", UnreadableReason.CORRUPT),
    ],
)
async def test_a_misbehaving_parser_gives_a_reason(
    function: str, reason: UnreadableReason, paper: Path
) -> None:
    assert await reason_of(function, paper, Limits(answer_mib=1)) is reason


async def test_a_confined_parser_leaves_the_file_as_it_was(paper: Path) -> None:
    before = await asyncio.to_thread(paper.read_bytes)

    await reason_of("write_a_file", paper, Limits())

    assert await asyncio.to_thread(paper.read_bytes) == before


async def test_the_child_sees_no_variable_of_ours(
    paper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_AI__API_KEY", "secret")

    seen = await run(f"{HOSTILE}:show_environment", paper, dict[str, str])

    assert set(seen) <= {"PATH", "PYTHONPATH", "PYTHONUTF8", "LC_CTYPE"}


async def test_an_unknown_parser_is_a_fault_of_ours_not_of_the_file(
    paper: Path,
) -> None:
    with pytest.raises(SandboxBrokenError, match="no_such_parser"):
        await run(f"{HOSTILE}:no_such_parser", paper, Grid)


async def test_a_cancelled_reading_leaves_no_process(paper: Path) -> None:
    before = children()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await run(f"{HOSTILE}:hang", paper, object)

    assert children() == before


def children() -> set[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(path.read_text("ascii").split())
