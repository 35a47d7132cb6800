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
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document.txt"
    path.write_text("玫瑰", "utf-8")
    return path


async def reason_of(function: str, path: Path, limits: Limits) -> UnreadableReason:
    with pytest.raises(UnreadableFileError) as caught:
        await run(f"{HOSTILE}:{function}", path, object, limits=limits)
    return caught.value.reason


async def test_a_result_is_returned_as_the_same_dataclass(document: Path) -> None:
    grid = await run(f"{HOSTILE}:read_grid", document, Grid, options={"sheet": "B"})

    assert grid == Grid([Cell("玫瑰", Decimal("0.10")), Cell("B", None)], {"a": (1, 2)})


async def test_a_result_of_another_shape_is_refused(document: Path) -> None:
    with pytest.raises(ValidationError):
        await run(f"{HOSTILE}:wrongly_typed", document, Grid)


async def test_a_hanging_parser_is_killed_in_time(document: Path) -> None:
    began = monotonic()

    reason = await reason_of("hang", document, Limits(wall_s=0.3))

    assert reason is UnreadableReason.TIMEOUT
    assert monotonic() - began < 2


@pytest.mark.slow(reason="the kernel counts processor time in whole seconds")
async def test_a_spinning_parser_is_stopped_by_its_processor_time(
    document: Path,
) -> None:
    reason = await reason_of("spin", document, Limits(cpu_s=1))

    assert reason is UnreadableReason.TIMEOUT


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("allocate_too_much", UnreadableReason.MEMORY),
        ("abort", UnreadableReason.MEMORY),
        ("crash", UnreadableReason.CORRUPT),
        ("answer_too_much", UnreadableReason.TOO_LARGE),
        ("refuse", UnreadableReason.ENCRYPTED),
        ("raise_key_error", UnreadableReason.CORRUPT),
        ("open_a_connection", UnreadableReason.CORRUPT),
        ("start_a_program", UnreadableReason.CORRUPT),
        ("write_a_file", UnreadableReason.CORRUPT),
    ],
)
async def test_a_misbehaving_parser_gives_a_reason(
    function: str, reason: UnreadableReason, document: Path
) -> None:
    assert await reason_of(function, document, Limits(answer_mib=1)) is reason


async def test_a_document_larger_than_the_memory_is_too_large_not_corrupt(
    document: Path,
) -> None:
    os.truncate(document, 1 << 31)

    reason = await reason_of("refuse", document, Limits(memory_mib=1024))

    assert reason is UnreadableReason.MEMORY


async def test_a_confined_parser_leaves_the_file_as_it_was(document: Path) -> None:
    before = await asyncio.to_thread(document.read_bytes)

    await reason_of("write_a_file", document, Limits())

    assert await asyncio.to_thread(document.read_bytes) == before


async def test_the_child_has_none_of_our_environment_variables(
    document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_AI__API_KEY", "secret")

    seen = await run(f"{HOSTILE}:return_environment", document, dict[str, str])

    assert set(seen) <= {"PATH", "PYTHONPATH", "PYTHONUTF8", "LC_CTYPE"}


async def test_an_unknown_parser_is_no_fault_of_the_file(
    document: Path,
) -> None:
    with pytest.raises(SandboxBrokenError, match="no_such_parser"):
        await run(f"{HOSTILE}:no_such_parser", document, Grid)


async def test_a_cancelled_run_leaves_no_process(document: Path) -> None:
    before = children()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await run(f"{HOSTILE}:hang", document, object)

    assert children() <= before


def children() -> set[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(path.read_text("ascii").split())
