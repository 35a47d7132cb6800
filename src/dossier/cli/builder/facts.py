"""What the owner states of a product: `product.yaml`, `--product` flags, their checks.

It is held to the same schema as the API; every fault names its line and field.
"""

import re
from collections.abc import (
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from dossier.cli.builder.types import FolderFile, UnusableInputError
from dossier.core.errors import suggestion
from dossier.core.schemas import RequestModel, field_names
from dossier.pif.rules.items import rulebook
from dossier.products.categories import category_of
from dossier.products.constants import ITEM_COUNT
from dossier.products.exceptions import CategoryUnknownError
from dossier.products.schemas import Line, Paragraph, ProductCreate

MAX_SIZE_BYTES = 1 << 20
FLAG = "--product"

_EXTRA_FIELDS = ("evidence", "confirmed", "as_of", "formula")
_MISSING = "missing"
_UNKNOWN = "extra_forbidden"
_BOOLEAN = "tag:yaml.org,2002:bool"

M = TypeVar("M", bound=BaseModel)

FieldPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Reads `on`, `no` and `yes` as text, as YAML 1.2 does: a field and a country."""


_Loader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if each[0] != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _BOOLEAN, re.compile("true|false", re.IGNORECASE), list("tTfF")
)


class ProductFile:
    """The stated values, with the place at which each field is stated."""

    def __init__(
        self, name: str, values: dict[str, Any], places: Mapping[FieldPath, str]
    ) -> None:
        self.name = name
        self.values = values
        self._places = places

    def locate(self, path: FieldPath) -> str:
        """Return where a field is stated, or should be: "name:line: field"."""
        field = ".".join(str(part) for part in path)
        while path and path not in self._places:
            path = path[:-1]
        place = self._places.get(path, self.name)
        return f"{place}: {field}" if field else place

    def overlaid(
        self, values: dict[str, Any], flagged: Collection[FieldPath]
    ) -> "ProductFile":
        """Return a copy with other values, of which some come from flags."""
        kept = {
            path: place
            for path, place in self._places.items()
            if not any(path[: len(flag)] == flag for flag in flagged)
        }
        return ProductFile(self.name, values, kept | dict.fromkeys(flagged, FLAG))


class StatedEvidence(RequestModel):
    """A file tied to an item, or to one requirement of it, by its owner."""

    file: str
    item: int = Field(ge=1, le=ITEM_COUNT)
    requirement: str | None = None
    reason: str | None = None


class ConfirmedFile(RequestModel):
    """A file that a person has read, and the requirement that it meets.

    `sha256` is that of the bytes which the person read: another file is not confirmed.
    `formula` are 12 or more digits of the hash of the composition that it is confirmed
    for, as the summary of a build prints them.
    """

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    item: int = Field(ge=1, le=ITEM_COUNT)
    requirement: str | None = None
    reason: Paragraph
    by: Line
    on: date
    formula: str | None = Field(None, pattern=r"^[0-9a-f]{12,64}$")


class FormulaChoice(RequestModel):
    """Which spreadsheet holds the formula, and how exactly it must add up."""

    file: str | None = None
    sheet: str | None = None
    column: str | None = None
    tolerance: Decimal = Field(default=Decimal(0), ge=0, le=1)


class Extras(RequestModel):
    """The fields of `product.yaml` beside the product's own."""

    evidence: list[StatedEvidence] = Field(default_factory=list, max_length=500)
    confirmed: list[ConfirmedFile] = Field(default_factory=list, max_length=500)
    as_of: date | None = None
    formula: FormulaChoice = Field(default_factory=FormulaChoice)


class StatedFacts:
    """A valid product, with what its owner ties to it."""

    def __init__(self, product: ProductCreate, extras: Extras) -> None:
        self.product = product
        self.evidence = extras.evidence
        self.confirmed = extras.confirmed
        self.as_of = extras.as_of
        self.formula = extras.formula


def read_product_file(path: Path | None) -> ProductFile:
    """Read the stated values; a folder without the file has none.

    Raises:
        UnusableInputError: the file is not YAML, too large, or not a mapping.
    """
    if path is None:
        return ProductFile("product.yaml (there is none)", {}, {})
    text = _read_text(path)
    try:
        # The nodes are kept for their line numbers, which the values do not have.
        root = yaml.compose(text, Loader=_Loader)
        values = _Loader("").construct_document(root) if root else {}
    except yaml.MarkedYAMLError as exc:
        line = f":{exc.problem_mark.line + 1}" if exc.problem_mark else ""
        message = f"{path.name}{line}: not YAML: {exc.problem}"
        raise UnusableInputError(message) from exc
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        message = f"{path.name}: not YAML that can be read: {exc}"
        raise UnusableInputError(message) from exc
    if root is None:
        return ProductFile(path.name, {}, {})
    if not isinstance(root, yaml.MappingNode):
        message = f"{path.name}: expected `field: value` lines"
        raise UnusableInputError(message)
    lines = _field_lines(root, path.name)
    places = {field: f"{path.name}:{line}" for field, line in lines}
    return ProductFile(path.name, values, places)


def apply_flags(stated: ProductFile, flags: list[str]) -> ProductFile:
    """Return the stated values overlaid with `FIELD=VALUE` flags; dots nest.

    Raises:
        UnusableInputError: a flag has no `=`, or nests into a plain value.
    """
    values = dict(stated.values)
    flagged: set[FieldPath] = set()
    for flag in flags:
        field, separator, text = flag.partition("=")
        if not (field and separator):
            message = f"{FLAG} {flag}: expected FIELD=VALUE"
            raise UnusableInputError(message)
        try:
            # Only a list or a mapping is YAML (`markets=[tw]`): 0312 stays text.
            value = yaml.load(text, _Loader) if text[:1] in "[{" else text  # noqa: S506
        except yaml.YAMLError:
            value = text
        parts = field.strip().split(".")
        _set_nested(values, parts, value, flag)
        flagged.add(tuple(parts))
    return stated.overlaid(values, flagged)


def read_facts(stated: ProductFile, files: Iterable[FolderFile]) -> StatedFacts:
    """Check what was stated, and report all faults at once.

    Raises:
        UnusableInputError: a field is missing, unknown or wrong, or a named file is
            not in the folder.
    """
    values = dict(stated.values)
    extra_values = {key: values.pop(key) for key in _EXTRA_FIELDS if key in values}
    reasons: list[str] = []
    product = _validated(ProductCreate, values, stated, reasons)
    extras = _validated(Extras, extra_values, stated, reasons)
    if extras is not None:
        reasons += _unknown_references(extras, stated, {file.name for file in files})
    category = values.get("category")
    if isinstance(category, str):  # otherwise the schema has reported it
        try:
            category_of(category)
        except CategoryUnknownError as exc:
            reasons.append(f"{stated.locate(('category',))}: {exc.detail}")
    if not (values.get("name_zh") or values.get("name_en")):
        reasons.append(f"{stated.locate(())}: state name_zh, name_en or both")
    if product is None or extras is None or reasons:
        raise UnusableInputError(*reasons)
    return StatedFacts(product, extras)


def _read_text(path: Path) -> str:
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
        message = f"{path.name}: not UTF-8 at byte {exc.start}; save it as UTF-8"
        raise UnusableInputError(message) from exc


def _field_lines(root: yaml.Node, file_name: str) -> Iterator[tuple[FieldPath, int]]:
    """Yield the line of each field.

    Each node is visited once: aliases can multiply a few lines into billions of nodes.
    """
    visited: set[int] = set()
    pending: list[tuple[FieldPath, yaml.Node]] = [((), root)]
    while pending:
        path, node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        children: list[tuple[str | int, yaml.Node, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            _refuse_repeated_keys(node, file_name)
            children = [(str(key.value), key, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = [(index, item, item) for index, item in enumerate(node.value)]
        for part, first, child in children:
            yield (*path, part), first.start_mark.line + 1
            pending.append(((*path, part), child))


def _refuse_repeated_keys(node: yaml.MappingNode, file_name: str) -> None:
    """YAML would silently keep the last of two equal keys."""
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            line = key.start_mark.line + 1
            message = f"{file_name}:{line}: {key.value}: stated a second time; keep one"
            raise UnusableInputError(message)
        seen.add(str(key.value))


def _set_nested(
    values: dict[str, Any], parts: list[str], value: Any, flag: str
) -> None:
    *parents, last = parts
    for parent in parents:
        inner = values.get(parent) or {}
        if not isinstance(inner, dict):
            message = f"{FLAG} {flag}: {parent} holds a plain value"
            raise UnusableInputError(message)
        # Copied, so that the values of the file stay as they were read.
        values[parent] = inner = dict(inner)
        values = inner
    values[last] = value


def _validated(
    model: type[M],
    values: dict[str, Any],
    stated: ProductFile,
    reasons: list[str],
) -> M | None:
    """Return the model, or add each fault to the reasons."""
    try:
        return model(**{str(key): value for key, value in values.items()})
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            path: FieldPath = error["loc"]
            message = error["msg"]
            if error["type"] == _UNKNOWN:
                names = [part for part in path[:-1] if isinstance(part, str)]
                known = [*field_names(model, names), *(() if names else _EXTRA_FIELDS)]
                message = f"there is no such field.{suggestion(str(path[-1]), known)}"
            if error["type"] == _MISSING:
                field = ".".join(str(part) for part in path)
                message = f"is needed; state it there or by {FLAG} {field}=…"
            reasons.append(f"{stated.locate(path)}: {message}")
        return None


def _unknown_references(
    extras: Extras, stated: ProductFile, names: set[str]
) -> Iterator[str]:
    """Report files that the folder lacks, and requirements that an item lacks."""
    lists: Mapping[str, Sequence[StatedEvidence | ConfirmedFile]] = {
        "evidence": extras.evidence,
        "confirmed": extras.confirmed,
    }
    for field, entries in lists.items():
        for position, entry in enumerate(entries):
            if entry.file not in names:
                place = stated.locate((field, position, "file"))
                yield f"{place}: no such file in the folder: {entry.file}"
            known = [part.code for part in rulebook().item(entry.item).requirements]
            if entry.requirement is not None and entry.requirement not in known:
                place = stated.locate((field, position, "requirement"))
                codes = ", ".join(known)
                near = suggestion(entry.requirement, known)
                has = f"item {entry.item} has: {codes}" + (f".{near}" if near else "")
                yield f"{place}: {entry.requirement}: {has}"
    chosen = extras.formula.file
    if chosen is not None and chosen not in names:
        place = stated.locate(("formula", "file"))
        yield f"{place}: no such file in the folder: {chosen}"
