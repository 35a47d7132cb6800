"""Findings and notes in both languages, from `data/formula_messages.json`."""

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from dossier.core.findings import Basis, Finding, Message, Place, Severity
from dossier.products.formula_import.types import FormulaSource

MARKET: Final = "tw"
ITEM: Final = 3
ARTICLE: Final = "PIF Reg. Art. 3(1)(3)"

Messages = dict[str, dict[str, dict[str, str]]]


@cache
def formula_messages() -> Messages:
    """Return the messages of findings and notes, by code and language."""
    file = resources.files("dossier.products") / "data" / "formula_messages.json"
    loaded: Messages = json.loads(file.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True, slots=True)
class FindingFactory:
    """Makes findings about one sheet of one file."""

    source: FormulaSource
    sheet: str

    def make(
        self,
        code: str,
        severity: Severity,
        cell: str | None,
        words: dict[str, str],
        *,
        ingredient: str | None = None,
        value: Decimal | None = None,
        limit: Decimal | None = None,
        unit: str | None = None,
    ) -> Finding:
        """Return one finding; `words` fill the placeholders of its messages."""
        text = {
            name: template.format(**words)
            for name, template in formula_messages()["findings"][code].items()
        }
        basis = Basis(text["basis"])
        return Finding(
            code=code,
            severity=severity,
            market=MARKET,
            item=ITEM,
            # Good practice cites no article.
            article=ARTICLE if basis is Basis.LAW else None,
            basis=basis,
            message=Message(zh=text["zh"], en=text["en"]),
            closes_by=Message(zh=text["close_zh"], en=text["close_en"]),
            ingredient=ingredient,
            value=value,
            limit=limit,
            margin=None if value is None or limit is None else value - limit,
            unit=unit,
            place=Place(
                filename=self.source.filename,
                sha256=self.source.sha256,
                document_id=self.source.document_id,
                sheet=self.sheet or None,
                cell=cell,
            ),
        )
