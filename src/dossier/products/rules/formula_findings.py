"""The findings of a formula, in both languages, each with its cell.

The sentences lie in `data/formula_messages.json`.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from dossier.core.findings import Finding, Message, Place, Severity

MARKET: Final = "tw"
ITEM: Final = 3
ARTICLE: Final = "PIF Reg. Art. 3(1)(3)"

Sentences = dict[str, dict[str, dict[str, str]]]


@cache
def sentences() -> Sentences:
    """Return the sentences of findings and notes, by code and language."""
    file = resources.files("dossier.products") / "data" / "formula_messages.json"
    loaded: Sentences = json.loads(file.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The paper that a formula is read from."""

    filename: str
    sha256: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a finding is about, besides its sentence."""

    ingredient: str | None = None
    value: Decimal | None = None
    limit: Decimal | None = None
    unit: str | None = None


_NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes findings about one sheet of one paper."""

    source: Source
    sheet: str

    def make(
        self,
        code: str,
        severity: Severity,
        cell: str | None,
        facts: Facts = _NO_FACTS,
        **words: str,
    ) -> Finding:
        """Return one finding; `words` fill the places of its sentences."""
        text = sentences()["findings"][code]
        has_margin = facts.value is not None and facts.limit is not None
        return Finding(
            code=code,
            severity=severity,
            market=MARKET,
            item=ITEM,
            article=ARTICLE,
            message=_message(text["zh"], text["en"], words),
            closes_by=_message(text["close_zh"], text["close_en"], words),
            ingredient=facts.ingredient,
            value=facts.value,
            limit=facts.limit,
            margin=_margin(facts) if has_margin else None,
            unit=facts.unit,
            place=self._place(cell),
        )

    def _place(self, cell: str | None) -> Place:
        return Place(
            filename=self.source.filename,
            sha256=self.source.sha256,
            document_id=self.source.document_id,
            sheet=self.sheet or None,
            cell=cell,
        )


def _margin(facts: Facts) -> Decimal:
    return (facts.value or Decimal(0)) - (facts.limit or Decimal(0))


def _message(zh: str, en: str, words: dict[str, str]) -> Message:
    return Message(zh=zh.format(**words), en=en.format(**words))
