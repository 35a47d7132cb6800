"""Finds the papers in a folder; names what it leaves out and why."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dossier.cli.builder.errors import UnusableInputError
from dossier.cli.builder.names import shown

PRODUCT_FILES = ("product.yaml", "product.yml")
_JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx", "icon\r"})
_NOTES = frozenset({"readme", "readme.md", "readme.txt"})


@dataclass(frozen=True, slots=True)
class Paper:
    """A file that may be evidence; `name` is its path inside the folder."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not taken in, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in the folder: papers, refusals, and the product's facts."""

    papers: tuple[Paper, ...]
    refusals: tuple[Refusal, ...]
    product_file: Path | None


def read_folder(root: Path, *, apart_from: Path) -> Folder:
    """Walk a folder in a stable order; `apart_from` is where the results go.

    Raises:
        UnusableInputError: the folder is missing, closed, or holds no paper.
    """
    _require_folder(root)
    closed: list[OSError] = []
    walked = _walk(root, apart_from.resolve(), closed)
    found = [_judged(root, path) for path in walked]
    papers = tuple(entry for entry in found if isinstance(entry, Paper))
    refusals = (
        *(entry for entry in found if isinstance(entry, Refusal)),
        *(_closed(root, error) for error in closed),
    )
    if not papers:
        raise UnusableInputError(_nothing(root, refusals))
    return Folder(papers, refusals, _product_file(root))


def _require_folder(root: Path) -> None:
    if not root.exists():
        message = f"{root}: there is no such folder"
        raise UnusableInputError(message)
    if not root.is_dir():
        message = f"{root}: this is a file; give the folder that holds the papers"
        raise UnusableInputError(message)
    if not os.access(root, os.R_OK | os.X_OK):
        message = f"{root}: this folder may not be read"
        raise UnusableInputError(message)


def _nothing(root: Path, refusals: tuple[Refusal, ...]) -> str:
    reasons = "".join(f"\n  {shown(entry.name)}: {entry.reason}" for entry in refusals)
    return f"{root}: nothing in this folder can be used as a paper{reasons}"


def _product_file(root: Path) -> Path | None:
    return next(
        (root / name for name in PRODUCT_FILES if (root / name).is_file()), None
    )


def _closed(root: Path, error: OSError) -> Refusal:
    """Name a folder that could not be listed."""
    name = Path(error.filename).relative_to(root).as_posix()
    return Refusal(name, f"cannot be read: {error.strerror}")


def _walk(root: Path, apart_from: Path, closed: list[OSError]) -> Iterator[Path]:
    for folder, names, files in os.walk(root, onerror=closed.append):
        here = Path(folder)
        linked = [name for name in names if (here / name).is_symlink()]
        names[:] = sorted(
            name
            for name in names
            if not _is_junk(name)
            and name not in linked
            and (here / name).resolve() != apart_from
        )
        for name in sorted([*files, *linked]):
            if not (_is_junk(name) or _is_note(root, here / name)):
                yield here / name


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _JUNK


def _is_note(root: Path, path: Path) -> bool:
    """Tell facts and explanations of the folder apart from papers."""
    return path.parent == root and path.name.lower() in _NOTES.union(PRODUCT_FILES)


def _judged(root: Path, path: Path) -> Paper | Refusal:
    name = path.relative_to(root).as_posix()
    try:
        reason = _why_not(root, path)
    except OSError as exc:
        reason = f"cannot be read: {exc.strerror}"
    return Refusal(name, reason) if reason else Paper(name, path)


def _why_not(root: Path, path: Path) -> str | None:
    if path.is_symlink():
        return _why_not_link(root, path)
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        return "not an ordinary file"
    if not found.st_size:
        return "the file is empty (0 bytes)"
    if not os.access(path, os.R_OK):
        return "cannot be read: permission denied"
    return None


def _why_not_link(root: Path, path: Path) -> str:
    target = path.resolve()
    if not target.is_relative_to(root.resolve()):
        return "a symbolic link that leads out of the folder"
    return "a symbolic link; the file it points to is read by its own name"
