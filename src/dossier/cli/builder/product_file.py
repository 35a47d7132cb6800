"""Reads `product.yaml` and the `--product` flags; faults name their line."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from dossier.cli.builder.errors import UnusableInputError

MAX_SIZE_BYTES = 1 << 20

FLAG = "--product"

FieldPath = tuple[str | int, ...]


class ProductFile:
    """The facts of a product with the place at which each one is stated."""

    def __init__(
        self, name: str, values: dict[str, Any], places: Mapping[FieldPath, str]
    ) -> None:
        self.name = name
        self.values = values
        self._places = places

    def locate(self, path: FieldPath) -> str:
        """Return where a field stands, or where it should: "name:line: field"."""
        field = ".".join(str(part) for part in path)
        while path and path not in self._places:
            path = path[:-1]
        place = self._places.get(path, self.name)
        return f"{place}: {field}" if field else place

    def overlaid(
        self, values: dict[str, Any], flagged: Collection[FieldPath]
    ) -> "ProductFile":
        """Return the facts with other values, of which some stand in flags."""
        kept = {
            path: place
            for path, place in self._places.items()
            if not any(path[: len(flag)] == flag for flag in flagged)
        }
        return ProductFile(self.name, values, kept | dict.fromkeys(flagged, FLAG))


def read_product_file(path: Path | None) -> ProductFile:
    """Read the facts; a folder without the file has none.

    Raises:
        UnusableInputError: the file is not YAML, too large, or not a mapping.
    """
    if path is None:
        return ProductFile("product.yaml", {}, {})
    root = _composed(path)
    if root is None:
        return ProductFile(path.name, {}, {})
    if not isinstance(root, yaml.MappingNode):
        message = f"{path.name}: expected `field: value` lines"
        raise UnusableInputError(message)
    places = {field: f"{path.name}:{line}" for field, line in _lines(root, path)}
    return ProductFile(path.name, _constructed(root, path), places)


def apply_flags(facts: ProductFile, flags: list[str]) -> ProductFile:
    """Return the facts with `FIELD=VALUE` flags laid over them; dots nest.

    Raises:
        UnusableInputError: a flag has no `=`, or nests into a plain value.
    """
    values = dict(facts.values)
    flagged: set[FieldPath] = set()
    for flag in flags:
        field, separator, text = flag.partition("=")
        if not (field and separator):
            message = f"{FLAG} {flag}: expected FIELD=VALUE"
            raise UnusableInputError(message)
        parts = field.strip().split(".")
        _put(values, parts, _scalar(text), flag)
        flagged.add(tuple(parts))
    return facts.overlaid(values, flagged)


def _composed(path: Path) -> yaml.Node | None:
    text = _text(path)
    with _faults_of(path):
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _constructed(root: yaml.Node, path: Path) -> dict[str, Any]:
    with _faults_of(path):
        values: dict[str, Any] = yaml.SafeLoader("").construct_document(root)
    return values


def _text(path: Path) -> str:
    if path.is_symlink():
        message = f"{path.name}: a symbolic link; put the file itself into the folder"
        raise UnusableInputError(message)
    try:
        if path.stat().st_size > MAX_SIZE_BYTES:
            message = f"{path.name}: larger than {MAX_SIZE_BYTES} bytes"
            raise UnusableInputError(message)
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        message = f"{path.name}: cannot be read: {exc.strerror}"
        raise UnusableInputError(message) from exc
    except UnicodeDecodeError as exc:
        message = f"{path.name}: not UTF-8 at byte {exc.start}"
        raise UnusableInputError(message) from exc


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    try:
        yield
    except yaml.MarkedYAMLError as exc:
        raise UnusableInputError(_syntax_fault(path.name, exc)) from exc
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        message = f"{path.name}: not YAML that can be read: {exc}"
        raise UnusableInputError(message) from exc


def _syntax_fault(name: str, exc: yaml.MarkedYAMLError) -> str:
    line = f":{exc.problem_mark.line + 1}" if exc.problem_mark else ""
    return f"{name}{line}: not YAML: {exc.problem}"


def _lines(root: yaml.Node, source: Path) -> Iterator[tuple[FieldPath, int]]:
    """Yield where each field stands; a node that aliases repeat counts once."""
    seen: set[int] = set()
    waiting: list[tuple[FieldPath, yaml.Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for part, line, child in _children(node, source.name):
            yield (*path, part), line
            waiting.append(((*path, part), child))


def _children(node: yaml.Node, name: str) -> Iterator[tuple[str | int, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        _refuse_repeats(node, name)
        for key, value in node.value:
            yield str(key.value), key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield position, value.start_mark.line + 1, value


def _refuse_repeats(node: yaml.MappingNode, name: str) -> None:
    """YAML would silently keep the last of two equal keys."""
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            line = key.start_mark.line + 1
            message = f"{name}:{line}: {key.value}: stands here a second time"
            raise UnusableInputError(message)
        seen.add(str(key.value))


def _scalar(text: str) -> Any:
    """Read a flag's value as YAML, so that `markets=[tw]` is a list."""
    try:
        return yaml.safe_load(text) if text[:1] in "[{" else text
    except yaml.YAMLError:
        return text


def _put(values: dict[str, Any], parts: list[str], value: Any, flag: str) -> None:
    *parents, last = parts
    for parent in parents:
        inner = values.get(parent) or {}
        if not isinstance(inner, dict):
            message = f"{FLAG} {flag}: {parent} holds a plain value"
            raise UnusableInputError(message)
        values[parent] = inner = dict(inner)
        values = inner
    values[last] = value
