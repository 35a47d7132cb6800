"""The sentences of findings, in both languages, and findings made of them.

The words are in `data/findings.json`.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from dossier.core.findings import Basis, Finding, Message, Place, Severity
from dossier.documents.facts.types import IdentityReason
from dossier.pif.constants import TAIPEI, JudgementCode
from dossier.pif.rules.evidence import Judgement, ReadDocument
from dossier.pif.rules.items import Item
from dossier.pif.rules.matching import document_kinds

SHOWN_REASONS: Final = 5
"""Documents that one message names; the others are counted."""

_OTHERS: Final = {
    IdentityReason.CAS_CONFLICTS: "cas_conflicts",
    IdentityReason.SITE_CONFLICTS: "site_conflicts",
    IdentityReason.SIGNER_CONFLICTS: "signer_conflicts",
}


@cache
def sentences() -> Mapping[str, Any]:
    """Return the sentences of findings by code, and the words that they are made of."""
    text = resources.files("dossier.pif").joinpath("data/findings.json")
    words: Mapping[str, Any] = json.loads(text.read_text(encoding="utf-8"))
    return words


def make_finding(
    code: str,
    market: str,
    *,
    severity: Severity,
    item: Item | None = None,
    article: str | None = None,
    basis: Basis | None = None,
    words: Mapping[str, Any] | None = None,
    closes_by: Message | None = None,
    **members: Any,
) -> Finding:
    """Return a finding with the sentences of its code, filled with the words.

    Without an article, a finding about an item has the item's; "" stands for none, and
    a rule of good practice cites none.
    """
    title = {"title_zh": item.title.zh, "title_en": item.title.en} if item else {}
    filled = title | dict(words or {})
    own = sentences()[code]
    message = {
        language: text.format_map(filled) for language, text in own["message"].items()
    }
    if basis is Basis.PRACTICE:
        article = None
    elif article is None and item is not None:
        article = item.article
    return Finding(
        code=code,
        severity=severity,
        market=market,
        item=item.number if item else None,
        article=article or None,
        basis=basis,
        message=Message(**message),
        closes_by=closes_by or Message(**own["closes_by"]),
        **members,
    )


def reasons_of(
    judgements: Sequence[Judgement], otherwise: str = "no_formula"
) -> dict[str, str]:
    """Return why documents do not count, each with its name, in both languages.

    Where none is at fault, `otherwise` says what is: a reason without a document.
    """
    shown = [(each, judgement_words(each)) for each in judgements[:SHOWN_REASONS]]
    zh = [f"{each.document.filename} {text.zh}" for each, text in shown]
    en = [f"{each.document.filename} {text.en}" for each, text in shown]
    if not judgements:
        words = sentences()["reasons"][otherwise]
        zh, en = [words["zh"]], [words["en"]]
    rest = len(judgements) - len(shown)
    if rest:
        zh.append(f"另有 {rest} 份")
        en.append(f"{rest} more")
    return {"reasons_zh": "\uff1b".join(zh), "reasons_en": "; ".join(en)}


def judgement_words(judgement: Judgement) -> Message:
    """Return how a document counts, as the end of a sentence about it."""
    identity, fact = judgement.identity, judgement.fact
    code: str = judgement.code
    if judgement.code is JudgementCode.OTHER_PRODUCT and identity:
        code = _OTHERS.get(identity.reason, code)
    found = identity.raw if identity else ""
    kind = judgement.document.kind.kind if judgement.document.kind else None
    kinds = {each.kind: each for each in document_kinds()}
    names = sentences()["facts"]
    confirmation = judgement.confirmation
    day = confirmation and confirmation.at.astimezone(TAIPEI).date()
    words = {
        "raw": fact.raw if fact else found,
        "value": fact.value if fact else "",
        "raw_en": f" ({fact.raw})" if fact and fact.raw != fact.value else "",
        "change": judgement.change,
        "found_zh": f"（載有「{found}」）" if found else "",
        "found_en": f" (it names “{found}”)" if found else "",
        "kind_zh": kinds[kind].zh if kind in kinds else "",
        "kind_en": kinds[kind].en if kind in kinds else "",
        "facts_zh": "、".join(names[name]["zh"] for name in judgement.lacking),
        "facts_en": ", ".join(names[name]["en"] for name in judgement.lacking),
        "actor": confirmation.actor_name if confirmation else "",
        "day": str(day or ""),
    }
    texts = sentences()["reasons"][code]
    return Message(zh=texts["zh"].format(**words), en=texts["en"].format(**words))


def place_of(judgement: Judgement) -> Place:
    """Return where in a document the words are that decided how it counts."""
    stated = judgement.fact or judgement.identity
    return place_in(judgement.document, stated.page if stated else None)


def place_in(document: ReadDocument, page: int | None = None) -> Place:
    """Return a place in a document, or the document as a whole."""
    return Place(
        filename=document.filename,
        sha256=document.sha256,
        document_id=str(document.document_id),
        page=page or None,
    )
