"""Writes the results of a build: all of them appear, or none is replaced."""

import errno
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dossier.cli.builder.errors import UnusableInputError

Content = AsyncIterator[bytes]


def require_output_folder(folder: Path) -> None:
    """Make the folder of the results, or say why it cannot be used.

    Raises:
        UnusableInputError: it is a file, or may not be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        message = f"{folder}: cannot hold the results: {_reason(folder, exc)}"
        raise UnusableInputError(message) from exc


def _reason(folder: Path, exc: OSError) -> str:
    """Say what stands in the way, and where: the system's words alone mislead."""
    there = _nearest(folder)
    if exc.errno == errno.ENAMETOOLONG:
        return "the name is too long"
    if there.is_symlink() and not there.exists():
        return f"{_named(there, folder)} a link that leads nowhere"
    if not there.is_dir():
        return f"{_named(there, folder)} a file"
    if exc.errno == errno.ENOENT:  # where the folder above exists, it is no real one
        return f"the file system of {there} takes no files of users"
    return f"in {there} nothing can be written: {exc.strerror}"


def _named(there: Path, folder: Path) -> str:
    return "it is" if there == folder else f"{there} is"


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(
        (path for path in (folder, *folder.parents) if os.path.lexists(path)), folder
    )


@contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Hold the folder of the results; one made for nothing goes again.

    Raises:
        UnusableInputError: as `require_output_folder`.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    require_output_folder(folder)
    try:
        yield
    finally:
        for path in made:  # the innermost first
            with suppress(OSError):  # it holds something, so it stays
                path.rmdir()


async def write_outputs(
    folder: Path, contents: Mapping[str, Content]
) -> dict[str, Path]:
    """Write every file beside its place, then move all into place."""
    with tempfile.TemporaryDirectory(prefix=".dossier-", dir=folder) as parts:
        for name, content in contents.items():
            await _write(Path(parts) / name, content)
        for name in contents:
            (Path(parts) / name).replace(folder / name)
    return {name: folder / name for name in contents}


async def _write(path: Path, content: Content) -> None:
    with path.open("wb") as file:
        async for chunk in content:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
