"""Finds the files in a folder that may be evidence; names the others and why."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dossier.cli.builder.terminal import display_name
from dossier.cli.builder.types import FolderFile, RefusedFile, UnusableInputError

PRODUCT_FILES = ("product.yaml", "product.yml")
_JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx", "icon\r"})
_NOTES = frozenset({"readme", "readme.md", "readme.txt"})


@dataclass(frozen=True, slots=True)
class Folder:
    """The contents of a folder; `product_file` holds the product's facts."""

    files: tuple[FolderFile, ...]
    refused: tuple[RefusedFile, ...]
    product_file: Path | None


def read_folder(root: Path, *, apart_from: Path) -> Folder:
    """Walk a folder in a stable order; `apart_from` is where the results go.

    Raises:
        UnusableInputError: the folder is missing, closed, or holds no usable file.
    """
    _require_readable_folder(root)
    files: list[FolderFile] = []
    refused: list[RefusedFile] = []
    unlistable: list[OSError] = []
    for path in _walk(root, apart_from.resolve(), unlistable):
        name = path.relative_to(root).as_posix()
        reason = _refusal_reason(root, path)
        if reason:
            refused.append(RefusedFile(name, reason))
        else:
            files.append(FolderFile(name, path))
    for error in unlistable:
        name = Path(error.filename).relative_to(root).as_posix()
        refused.append(RefusedFile(name, f"cannot be read: {error.strerror}"))
    if not files:
        reasons = "".join(
            f"\n  {display_name(entry.name)}: {entry.reason}" for entry in refused
        )
        message = f"{root}: no file in this folder can be used as a document{reasons}"
        raise UnusableInputError(message)
    return Folder(tuple(files), tuple(refused), _product_file(root))


def _product_file(root: Path) -> Path | None:
    """Return the file with the product's facts; capitals in its name do not matter."""
    found = [
        path
        for path in sorted(root.iterdir())
        if path.name.lower() in PRODUCT_FILES and (path.is_symlink() or path.is_file())
    ]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        message = f"{root}: {names} both state the product; keep one"
        raise UnusableInputError(message)
    return found[0] if found else None


def _require_readable_folder(root: Path) -> None:
    if not root.exists():
        message = f"{root}: there is no such folder"
        raise UnusableInputError(message)
    if not root.is_dir():
        message = f"{root}: this is a file; give the folder that holds the documents"
        raise UnusableInputError(message)
    if not os.access(root, os.R_OK | os.X_OK):
        message = f"{root}: this folder may not be read; check its permissions"
        raise UnusableInputError(message)


def _walk(root: Path, apart_from: Path, unlistable: list[OSError]) -> Iterator[Path]:
    """Yield files and links without junk, notes and the product file."""
    not_evidence = _NOTES.union(PRODUCT_FILES)  # only directly in the root
    for folder, names, files in os.walk(root, onerror=unlistable.append):
        here = Path(folder)
        linked = [name for name in names if (here / name).is_symlink()]
        # Changed in place: `os.walk` goes on into what is left.
        names[:] = sorted(
            name
            for name in names
            if not _is_junk(name)
            and name not in linked
            and (here / name).resolve() != apart_from
        )
        for name in sorted([*files, *linked]):
            is_note = here == root and name.lower() in not_evidence
            if not (_is_junk(name) or is_note):
                yield here / name


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _JUNK


def _refusal_reason(root: Path, path: Path) -> str | None:
    reason = None
    try:
        if path.is_symlink():
            is_inside = path.resolve(strict=True).is_relative_to(root.resolve())
            reason = "a symbolic link that leads out of the folder"
            if is_inside:
                reason = "a symbolic link; what it points to is read by its own name"
        elif not stat.S_ISREG(path.stat().st_mode):
            reason = "not an ordinary file"
        elif not path.stat().st_size:
            reason = "the file is empty (0 bytes)"
        elif not os.access(path, os.R_OK):
            reason = "cannot be read: permission denied"
    except OSError as exc:
        reason = f"cannot be read: {exc.strerror}"
    except RuntimeError:  # pathlib before Python 3.13
        reason = "a symbolic link that leads back to itself"
    return reason
