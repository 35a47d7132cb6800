"""Parsers that fail in every way, run inside the sandbox by its tests."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)


@dataclass(frozen=True)
class Cell:
    text: str
    number: Decimal | None


@dataclass(frozen=True)
class Grid:
    cells: list[Cell]
    by_name: dict[str, tuple[int, ...]]


def read_grid(path: str, *, sheet: str = "") -> Grid:
    print("output that libraries write")  # noqa: T201 - it must not reach the answer
    cell = Cell(Path(path).read_text("utf-8"), Decimal("0.10"))
    return Grid([cell, Cell(sheet, None)], {"a": (1, 2)})


def wrongly_typed(_path: str) -> dict[str, int]:
    return {"cells": 1}


def hang(_path: str) -> None:
    time.sleep(3600)


def spin(_path: str) -> None:
    while True:
        pass


def allocate_too_much(_path: str) -> int:
    return len(bytearray(1 << 33))


def crash(_path: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def answer_too_much(_path: str) -> str:
    return "x" * (30 << 20)  # more than every buffer on the way


def refuse(_path: str) -> None:
    raise UnreadableFileError(UnreadableReason.ENCRYPTED, "asks for a password")


def raise_key_error(_path: str) -> None:
    raise KeyError(_path)


def open_a_connection(_path: str) -> None:
    socket.create_connection(("127.0.0.1", 9))


def start_a_program(_path: str) -> None:
    subprocess.run([sys.executable, "-V"], check=True)


def write_a_file(path: str) -> None:
    Path(path).write_text("more", "utf-8")


def return_environment(_path: str) -> dict[str, str]:
    return dict(os.environ)
