"""Parsers that fail in every way, run inside the sandbox by its tests."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from dossier.integrations.parsing.containment import (
    NotContainedError,
    Prepared,
    contain,
)
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


def read_grid(file: BinaryIO, *, sheet: str = "") -> Grid:
    print("output that libraries write")  # noqa: T201 - it must not reach the answer
    cell = Cell(file.read().decode(), Decimal("0.10"))
    return Grid([cell, Cell(sheet, None)], {"a": (1, 2)})


def wrongly_typed(_file: BinaryIO) -> dict[str, int]:
    return {"cells": 1}


def hang(_file: BinaryIO) -> None:
    time.sleep(3600)


def spin(_file: BinaryIO) -> None:
    while True:
        pass


def allocate_too_much(_file: BinaryIO) -> int:
    return len(bytearray(1 << 33))


def abort(_file: BinaryIO) -> None:
    """End as C++ and Rust do when an allocation fails."""
    os.abort()


def contain_again(_file: BinaryIO) -> str:
    """Return the refusal of a process that the kernel allows no layer."""
    prepared = Prepared(is_root=False, has_namespaces=False, empty_folder=None)
    contain(prepared, is_required=False)
    try:
        contain(prepared, is_required=True)
    except NotContainedError as error:
        return str(error)
    return ""


def crash(_file: BinaryIO) -> None:
    ctypes.string_at(1)


def answer_too_much(_file: BinaryIO) -> str:
    return "x" * (30 << 20)  # more than every buffer on the way


def refuse(_file: BinaryIO) -> None:
    raise UnreadableFileError(UnreadableReason.ENCRYPTED, "asks for a password")


def raise_key_error(_file: BinaryIO) -> None:
    raise KeyError(_file)


def open_a_connection(_file: BinaryIO) -> None:
    socket.create_connection(("127.0.0.1", 9))


def start_a_program(_file: BinaryIO) -> None:
    subprocess.run([sys.executable, "-V"], check=True)


def write_a_file(_file: BinaryIO) -> None:
    Path("more").write_text("more", "utf-8")


def return_environment(_file: BinaryIO) -> dict[str, str]:
    return dict(os.environ)
