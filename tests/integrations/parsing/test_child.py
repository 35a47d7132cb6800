import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import PurePosixPath

import orjson
import pytest
from tests.integrations.parsing import hostile

from dossier.integrations.parsing.child import (
    ForbiddenInSandboxError,
    answer_of,
    encoded,
    refuse,
)


def test_exact_values_are_encoded_as_text() -> None:
    cell = hostile.Cell("玫瑰", Decimal("0.10"))

    sent = orjson.loads(encoded([cell, date(2026, 1, 2), PurePosixPath("a/b")]))

    assert sent == [{"text": "玫瑰", "number": "0.10"}, "2026-01-02", "a/b"]


def test_a_value_without_an_encoding_is_refused() -> None:
    with pytest.raises(TypeError):
        encoded(object())


def run_out_of_memory(_file: object) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("parser", "reason"),
    [
        (hostile.refuse, "encrypted"),
        (hostile.raise_key_error, "corrupt"),
        (run_out_of_memory, "memory"),
    ],
)
def test_a_failure_becomes_its_reason(
    parser: Callable[..., object], reason: str
) -> None:
    answer = orjson.loads(answer_of(parser, BytesIO(), {}))

    assert answer["unreadable"]["reason"] == reason


def fail_to_import(_file: object) -> None:
    raise ImportError


def test_a_missing_library_is_no_fault_of_the_file() -> None:
    with pytest.raises(ImportError):
        answer_of(fail_to_import, BytesIO(), {})


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("socket.connect", ()),
        ("subprocess.Popen", ()),
        ("os.remove", ()),
        ("open", ("a", "w", os.O_WRONLY)),
        ("open", ("a", None, os.O_RDONLY | os.O_TRUNC)),
    ],
)
def test_a_confined_process_cannot_connect_start_or_write(
    event: str, arguments: tuple[object, ...]
) -> None:
    with pytest.raises(ForbiddenInSandboxError):
        refuse(event, arguments)


@pytest.mark.parametrize("event", [("open", ("a", "r", os.O_RDONLY)), ("import", ())])
def test_a_confined_process_may_read(event: tuple[str, tuple[object, ...]]) -> None:
    refuse(*event)
