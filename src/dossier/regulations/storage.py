"""Data sets that an operator imports: files beside the database's data.

A set is written once under its content's identifier; the shipped set needs no file.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from dossier.regulations.constants import LISTS, Market
from dossier.regulations.exceptions import DataSetNotFoundError
from dossier.regulations.rules.data_sets import (
    DataSet,
    ListSource,
    data_set_of,
    shipped,
)
from dossier.regulations.rules.records import AnnexRule, rule_of, to_json

FOLDER: Final = "regulations"
"""The folder of the imported sets below the home of the installation."""

_ID: Final = re.compile(r"[a-z0-9-]{1,80}")


def data_set_named(set_id: str | None, folder: Path) -> DataSet:
    """Return the shipped set, or an imported one by its identifier."""
    if set_id is None or set_id in ("shipped", shipped().id):
        return shipped()
    path = folder / f"{set_id}.json"
    if not _ID.fullmatch(set_id) or not path.is_file():
        known = ", ".join([shipped().id, *imported_ids(folder)])
        msg = f"There is no data set {set_id!r}. Known: {known}."
        raise DataSetNotFoundError(msg)
    data_set = _read(path)
    if data_set.id != set_id:
        msg = f"The file of data set {set_id} was changed after its import."
        raise DataSetNotFoundError(msg)
    return data_set


def imported_ids(folder: Path) -> list[str]:
    """Return the identifiers of the imported sets."""
    return sorted(path.stem for path in folder.glob("*.json"))


def store(data_set: DataSet, folder: Path) -> Path:
    """Write a set, unless the same content is there already."""
    path = folder / f"{data_set.id}.json"
    if path.exists():
        return path
    content = {
        "name": data_set.name,
        "sources": [asdict(each) for each in data_set.sources],
        "rules": {
            market.value: [to_json(rule) for rule in rules]
            for market, rules in data_set.rules.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, delete=False
    ) as file:
        json.dump(content, file, ensure_ascii=False)
    Path(file.name).replace(path)  # a reader sees the whole file or none
    return path


def with_list(
    base: DataSet,
    market: Market,
    list_name: str,
    rules: Iterable[AnnexRule],
    source: ListSource,
) -> DataSet:
    """Return a set in which one list is replaced; the base stays as it is."""
    held = dict(base.rules)
    others = [rule for rule in held.get(market, ()) if rule.list != list_name]
    order = LISTS[market].index
    held[market] = tuple(sorted([*others, *rules], key=lambda rule: order(rule.list)))
    sources = [each for each in base.sources if each.market != market.value]
    return data_set_of("imported", [*sources, source], held)


def _read(path: Path) -> DataSet:
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    sources = [
        ListSource(**{**each, "missing": tuple(each["missing"])})
        for each in content["sources"]
    ]
    rules = {
        Market(market): list(map(rule_of, each))
        for market, each in content["rules"].items()
    }
    return data_set_of(content["name"], sources, rules)
