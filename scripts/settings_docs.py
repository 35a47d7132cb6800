"""Writes the pages that are made from code: settings, their example, roles.

`python scripts/settings_docs.py` rewrites them; a test compares.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from dossier.accounts.rules import matrix_markdown
from dossier.core.settings import ALIASES, LANGSMITH_KEY, LANGSMITH_PROJECT, Settings
from dossier.pif.rules.items import rulebook

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "DOSSIER_"


EVIDENCE_INTRODUCTION = """\
# What counts as evidence

Generated from `dossier/pif/data/tw_items.json` by `python scripts/settings_docs.py`.
A document counts by what was read in it (`pif/rules/evidence.py`). The first line
that applies decides:

| A document that | Shows the requirement as |
|---|---|
| is about another product, material, site or signatory | nothing |
| has expired | `stale` |
| a person confirmed for these bytes, with a reason | `present` |
| was not read, or is of another or no known kind by its content | `unconfirmed` |
| does not name this product (material, site, signatory) | `unconfirmed` |
| lacks a needed fact, is a draft, or lacks a required signature | `unconfirmed` |
| none of these | `present` |

Of a requirement the best state counts: present, waived or declared, stale,
unconfirmed, missing; of an item the worst of its
requirements. Items 1, 3 and 7 are also met by the product's facts and an imported
formula. A failing result in a report blocks its item,
whatever else is linked. `tw-9.ingredients` and `tw-10.toxicology` need a document
for every raw material of the formula but water.

A confirmation: `PUT /api/v1/products/{id}/pif/items/{n}/confirmation {document_id,
requirement, reason}`; owner, admin and editor may
confirm, of item 16 owner and assessor. It cannot override another product or an
expiry.

| Requirement | Kind of document | Identified by | Facts to be read | Signed |
|---|---|---|---|---|
"""


class Setting(NamedTuple):
    """One field as an operator sees it."""

    name: str
    default: str
    accepted: str
    """The values that it takes, where not every one of its type."""
    description: str


class Group(NamedTuple):
    """The fields that belong together."""

    name: str
    title: str
    settings: list[Setting]


def groups() -> Iterator[Group]:
    """Yield all settings, group by group."""
    fields = Settings.model_fields
    plain = [_setting(PREFIX, n, f) for n, f in fields.items() if not _model(f)]
    yield Group("general", "Where everything lies.", plain)
    for name, field in fields.items():
        model = _model(field)
        if model is not None:
            prefix = f"{PREFIX}{name.upper()}__"
            inside = model.model_fields.items()
            settings = [_setting(prefix, n, f) for n, f in inside]
            yield Group(name, (model.__doc__ or "").strip(), settings)


def settings_page() -> str:
    """Return `docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Generated from `dossier.core.settings` by `python scripts/settings_docs.py`.",
        "Read once at start, from the environment or a file `.env` in the working",
        "folder. Lists are JSON.",
    ]
    for group in groups():
        lines += ["", f"## {group.name}", "", group.title, ""]
        lines += ["| Variable | Default | Meaning |", "|---|---|---|"]
        lines += [_row(setting) for setting in group.settings]
    lines += ["", "## Aliases", "", "Other tools' names; the prefixed ones win.", ""]
    lines += ["| Alias | Stands for |", "|---|---|"]
    lines += [
        f"| `{alias}` | `{PREFIX}{group.upper()}__{field.upper()}` |"
        for alias, (group, field) in ALIASES.items()
    ]
    names = f"`{LANGSMITH_KEY}`, `{LANGSMITH_PROJECT}`"
    lines.append(f"| {names} | LangSmith's endpoint and headers, if no other is set |")
    return "\n".join(lines) + "\n"


def env_example() -> str:
    """Return `.env.example`: every setting with its default, commented out."""
    lines = ["# Every setting with its default; docs/settings.md explains them."]
    for group in groups():
        lines += ["", f"# {group.title}"]
        lines += [f"#{setting.name}={setting.default}" for setting in group.settings]
    return "\n".join(lines) + "\n"


def evidence_page() -> str:
    """Return `docs/evidence.md`."""
    lines = []
    for item in rulebook().items:
        for rule in item.requirements:
            for need in rule.documents:
                facts = ", ".join(need.facts)
                signed = "yes" if need.signed else ""
                lines.append(
                    f"| `{rule.code}` | {need.kind} | {need.identity} | {facts} |"
                    f" {signed} |"
                )
    return EVIDENCE_INTRODUCTION + "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Return every generated page with its text."""
    return {
        ROOT / "docs" / "settings.md": settings_page(),
        ROOT / "docs" / "roles.md": matrix_markdown(),
        ROOT / "docs" / "evidence.md": evidence_page(),
        ROOT / ".env.example": env_example(),
    }


def _model(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return None


def _setting(prefix: str, name: str, field: FieldInfo) -> Setting:
    return Setting(
        f"{prefix}{name.upper()}",
        _default(field),
        _accepted(field),
        field.description or "",
    )


def _accepted(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        choices = ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
        return f"One of {choices}."
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    bounds = [
        f"{word} {getattr(bound, name)}"
        for bound in field.metadata
        for name, word in words.items()
        if hasattr(bound, name)
    ]
    return f"{', '.join(bounds).capitalize()}." if bounds else ""


def _default(field: FieldInfo) -> str:
    # A folder of this machine would differ on the next one.
    value: Any = None if field.default_factory else field.default
    if value is None or isinstance(value, SecretStr):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else ""
    meaning = f"{setting.description} {setting.accepted}".strip()
    return f"| `{setting.name}` | {default} | {meaning} |"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
        print(path.relative_to(ROOT))
