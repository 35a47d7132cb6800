"""What a build shows on a terminal: names on one line, and its progress."""

import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dossier.core.schemas import is_steering

NAME_COLUMNS: Final = 60
_BREAKING: Final = frozenset({"Zl", "Zp", "Cs"})
"""Ends of lines and of paragraphs; halves of characters, which cannot be printed."""

WRITING = "Writing"
"""The last stage: when it has ended, the results exist."""


def escaped(text: str) -> str:
    r"""Return text with control characters written as escapes: `\n`, `\x1b`."""
    return "".join(
        char.encode("unicode_escape").decode()
        if is_steering(char) or unicodedata.category(char) in _BREAKING
        else char
        for char in text
    )


def display_name(name: str) -> str:
    """Return a file name on one line, its middle left out where it is too long."""
    text = escaped(name)
    if cell_len(text) <= NAME_COLUMNS:
        return text
    half = (NAME_COLUMNS - 1) // 2
    # The end is kept because it holds the extension.
    tail = _fitting(text[::-1], half)[::-1]
    return f"{_fitting(text, NAME_COLUMNS - 1 - cell_len(tail))}…{tail}"


def padded(text: str, columns: int) -> str:
    """Fill up to a number of columns; wide characters take two."""
    return text + " " * (columns - cell_len(text))


def _fitting(text: str, columns: int) -> str:
    """Return the longest beginning of a text that fits into the columns."""
    used = 0
    for at, char in enumerate(text):
        used += cell_len(char)
        if used > columns:
            return text[:at]
    return text


class StageProgress(Protocol):
    """One stage of a build, shown as units done out of a total."""

    def advance(self, message: str) -> None:
        """One more unit is done; `message` names it."""
        ...


class Stages:
    """Shows one stage after the other and records how long each took.

    Outside a terminal a line is printed at most once in an interval: enough to see that
    a long build goes on.
    """

    def __init__(
        self, console: Console | None, *, line_interval_s: float = 1.0
    ) -> None:
        self._console = console
        self._line_interval_s = line_interval_s
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[StageProgress]:
        """Time a stage of `total` units; each of them calls `advance`."""
        started_at = time.perf_counter()
        with self._step(name, total) as step:
            yield step
        self.seconds[name] = round(time.perf_counter() - started_at, 3)

    @contextmanager
    def _step(self, name: str, total: int) -> Iterator[StageProgress]:
        if self._console is None or not total:  # nothing to show
            yield _SilentStep()
        elif self._console.is_terminal:
            with Progress(
                TextColumn("{task.description:<16}"),
                BarColumn(bar_width=24),
                TextColumn("{task.completed}/{task.total}"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[message]}", markup=False),
                console=self._console,
            ) as progress:
                yield _BarStep(progress, name, total)
        else:
            self._console.print(f"{name} …", highlight=False)
            yield _LineStep(self._console, total, self._line_interval_s)


class _SilentStep:
    def advance(self, message: str) -> None:
        """Print nothing: a program reads the result."""


class _LineStep:
    def __init__(self, console: Console, total: int, interval_s: float) -> None:
        self._console = console
        self._total = total
        self._interval_s = interval_s
        self._done = 0
        self._printed_at = time.monotonic()

    def advance(self, message: str) -> None:
        self._done += 1
        if time.monotonic() - self._printed_at < self._interval_s:
            return
        self._printed_at = time.monotonic()
        text = f"  {self._done}/{self._total} {message}"
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class _BarStep:
    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=total, message="")

    def advance(self, message: str) -> None:
        self._progress.update(self._task, advance=1, message=message)
