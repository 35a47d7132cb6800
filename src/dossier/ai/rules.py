"""Pure rules: what a call costs, whether it fits a budget, what works here."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dossier.ai.constants import BudgetWindow, Engine
from dossier.ai.types import Price, Tokens

_MILLION = Decimal(1_000_000)
_MODEL = "DOSSIER_AI__BASE_URL"
_NAME = "DOSSIER_AI__MODEL"
_EMBED = "DOSSIER_AI__EMBED_MODEL"
_LOCAL = "DOSSIER_KNOWLEDGE__LOCAL_EMBED_MODEL"
_RERANK = "DOSSIER_KNOWLEDGE__RERANK_URL"
_CENTRAL = "DOSSIER_KNOWLEDGE__CENTRAL_URL"
_NO_MODEL = "No model is configured."
_NO_EMBEDDER = "No embedding model is configured."
_NO_HOST = "An embedding model is named, but no server of OpenAI's wire to ask for it."
_NO_LIBRARY = "Local embeddings need the extra: pip install 'dossier[local-embed]'."
_NO_VECTOR = "The server answered, but gave no vector for the embedding model."
_NO_LANGUAGE = (
    "The embedding model distinguishes neither Chinese nor English sentences."
)


def cost_usd(price: Price | None, tokens: Tokens) -> Decimal | None:
    """Return what a call cost, or `None` where a price or a count is missing."""
    if price is None:
        return None
    cached = min(tokens.cached or 0, tokens.input)
    # Without a price of its own, what came from the cache costs what input costs.
    cached_usd = price.input_usd if price.cached_usd is None else price.cached_usd
    parts = (
        _part(tokens.input - cached, price.input_usd),
        _part(cached, cached_usd),
        _part(tokens.output, price.output_usd),
    )
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def ceiling_usd(price: Price | None, tokens: int) -> Decimal | None:
    """Return the most that so many tokens can cost; `None` without a price."""
    if price is None or price.input_usd is None:
        return None
    return _part(tokens, max(price.input_usd, price.output_usd or Decimal(0)))


def _part(tokens: int, usd_per_million: Decimal | None) -> Decimal | None:
    if tokens == 0:
        return Decimal(0)
    return None if usd_per_million is None else tokens * usd_per_million / _MILLION


class BudgetVerdict(StrEnum):
    """Whether a call may go."""

    FITS = "fits"
    BUSY = "busy"
    """It fits once running calls have settled for less than they hold."""
    EXHAUSTED = "exhausted"
    """What has been spent alone forbids it."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing that a budget counts: tokens or USD."""

    unit: str
    cap: Decimal
    spent: Decimal
    reserved: Decimal

    def verdict(self, wanted: Decimal) -> BudgetVerdict:
        """Return whether so much more fits."""
        if self.spent + wanted > self.cap:
            return BudgetVerdict.EXHAUSTED
        if self.spent + self.reserved + wanted > self.cap:
            return BudgetVerdict.BUSY
        return BudgetVerdict.FITS


def window_start(window: BudgetWindow, at: datetime) -> datetime:
    """Return when the window began that holds an instant in UTC."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if window is BudgetWindow.DAY else midnight.replace(day=1)


def window_end(window: BudgetWindow, start: datetime) -> datetime:
    """Return when the next window begins."""
    if window is BudgetWindow.DAY:
        return start + timedelta(days=1)
    return (start + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What settings name, and what a probe found; `None`: nothing, or not asked."""

    strong: str | None = None
    cheap: str | None = None
    has_name: bool = True
    """The strong model is named, not left to the server."""
    fallback: str | None = None
    cheap_fallback: str | None = None
    embedder: str | None = None
    embed_model: str | None = None
    """As it is set, whether or not a server is there to ask for it."""
    local_embedder: str | None = None
    has_local_library: bool = True
    reranker: str | None = None
    has_central: bool = False
    is_reachable: bool | None = None
    problem: str | None = None
    dimensions: int | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capability:
    """One feature: whether it works, by what, and why not, or not by a model."""

    feature: str
    available: bool
    engine: Engine | None = None
    model: str | None = None
    why_not: str | None = None
    setting: str | None = None


def capabilities(facts: Facts) -> list[Capability]:
    """Return every feature that depends on settings."""
    by_model = _by_model("chat.answer", facts, facts.strong, facts.fallback)
    why_not_dense, dense_setting = _why_not_dense(facts)
    return [
        # Answers always come: without a model they are sentences of the documents.
        by_model
        if by_model.available
        else replace(by_model, available=True, engine=Engine.EXTRACTIVE, model=None),
        _by_model("chat.plain", facts, facts.strong, facts.fallback),
        _by_model("chat.summary", facts, facts.cheap, facts.cheap_fallback),
        Capability("search.lexical", available=True, engine=Engine.LEXICAL),
        Capability(
            "search.dense",
            available=why_not_dense is None,
            engine=Engine.DENSE if why_not_dense is None else None,
            model=facts.local_embedder or facts.embedder,
            why_not=why_not_dense,
            setting=None if why_not_dense is None else dense_setting,
        ),
        _by_service(
            "search.rerank",
            _RERANK,
            is_set=facts.reranker is not None,
            model=facts.reranker,
        ),
        _by_service("search.central", _CENTRAL, is_set=facts.has_central),
        Capability(
            "ocr",
            available=False,
            why_not="Only the text layer of a document is read, not its pictures.",
        ),
        Capability(
            "vision",
            available=False,
            why_not="No feature shows a picture to a model yet, whichever is set.",
        ),
    ]


def _by_model(
    feature: str, facts: Facts, model: str | None, fallback: str | None
) -> Capability:
    if model is None:
        return Capability(feature, available=False, why_not=_NO_MODEL, setting=_MODEL)
    if facts.is_reachable is not False:
        return Capability(feature, available=True, engine=Engine.MODEL, model=model)
    return Capability(
        feature,
        available=fallback is not None,
        engine=None if fallback is None else Engine.MODEL,
        model=fallback or model,
        why_not=_unreached(facts),
        setting=_MODEL if facts.has_name else _NAME,
    )


def _why_not_dense(facts: Facts) -> tuple[str | None, str]:
    """Return why nothing can embed, if so, and the setting to change.

    What is missing goes first, then what the probe found: a server may embed that does
    not chat.
    """
    if facts.local_embedder is not None:
        return None if facts.has_local_library else _NO_LIBRARY, _LOCAL
    if facts.embedder is None:
        if facts.embed_model is None:
            return _NO_EMBEDDER, _EMBED
        return _NO_HOST, _MODEL
    if facts.is_reachable is None:
        return None, _EMBED
    if facts.dimensions is None:
        return _NO_VECTOR if facts.is_reachable else _unreached(facts), _EMBED
    return None if facts.languages else _NO_LANGUAGE, _EMBED


def _by_service(
    feature: str, setting: str, *, is_set: bool, model: str | None = None
) -> Capability:
    if is_set:
        return Capability(feature, available=True, engine=Engine.SERVICE, model=model)
    return Capability(
        feature, available=False, why_not="No such service is set.", setting=setting
    )


def _unreached(facts: Facts) -> str:
    problem = f": {facts.problem.rstrip('.')}" if facts.problem else ""
    return f"The model server gave no answer when it was asked last{problem}."


def plain_decimal(value: Decimal) -> str:
    """Return a decimal without exponent and without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
