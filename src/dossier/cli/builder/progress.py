"""How far a build has come: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

WRITING = "Writing"
"""The last stage: when it has ended, the results are there."""


class Step(Protocol):
    """One stage of a build; told how much of it is done."""

    def advance(self, message: str) -> None:
        """One more unit is done; `message` names it."""
        ...


class Stages:
    """Shows one stage after the other and remembers how long each took."""

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int = 1) -> Iterator[Step]:
        """Time a stage of `total` units; each of them calls `advance`."""
        started_at = time.perf_counter()
        with self._shown(name, total) as step:
            yield step
        self.seconds[name] = round(time.perf_counter() - started_at, 3)

    @contextmanager
    def _shown(self, name: str, total: int) -> Iterator[Step]:
        if self._console is None or not total:  # a bar of nothing only puzzles
            yield _Silent()
        elif self._console.is_terminal:
            with _bar(self._console) as bar:
                yield _Bar(bar, name, total)
        else:
            self._console.print(f"{name} …", highlight=False)
            yield _Plain(self._console, total)


class _Silent:
    def advance(self, message: str) -> None:
        """Say nothing: a machine reads the result."""


class _Plain:
    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0

    def advance(self, message: str) -> None:
        self._done += 1
        text = f"  {self._done}/{self._total} {message}"
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class _Bar:
    def __init__(self, progress: Progress, name: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=total, message="")

    def advance(self, message: str) -> None:
        self._progress.update(self._task, advance=1, message=message)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[message]}", markup=False),
        console=console,
    )
