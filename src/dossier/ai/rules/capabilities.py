"""What works with the present settings, by what, and what is missing where not."""

from dataclasses import dataclass

from dossier.ai.constants import Engine

_MODEL = "DOSSIER_AI__BASE_URL"
_EMBED = "DOSSIER_AI__EMBED_MODEL"
_RERANK = "DOSSIER_KNOWLEDGE__RERANK_URL"
_CENTRAL = "DOSSIER_KNOWLEDGE__CENTRAL_URL"
_NO_MODEL = "No model is configured."


@dataclass(frozen=True, slots=True)
class Facts:
    """What settings name, and what a probe found; `None`: nothing, or not asked."""

    strong: str | None = None
    cheap: str | None = None
    embedder: str | None = None
    local_embedder: str | None = None
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
    return [
        _answers(facts),
        _by_model("chat.plain", facts, facts.strong),
        _by_model("chat.summary", facts, facts.cheap),
        Capability("search.lexical", available=True, engine=Engine.LEXICAL),
        _dense(facts),
        _rerank(facts),
        _central(facts),
        Capability(
            "ocr",
            available=False,
            why_not="Only the text layer of a paper is read, not its pictures.",
        ),
    ]


def _answers(facts: Facts) -> Capability:
    """Answers always come: without a model they are sentences of the papers."""
    by_model = _by_model("chat.answer", facts, facts.strong)
    if by_model.available:
        return by_model
    return Capability(
        "chat.answer",
        available=True,
        engine=Engine.EXTRACTIVE,
        why_not=by_model.why_not,
        setting=by_model.setting,
    )


def _by_model(feature: str, facts: Facts, model: str | None) -> Capability:
    if model is None:
        return Capability(feature, available=False, why_not=_NO_MODEL, setting=_MODEL)
    if facts.is_reachable is False:
        return Capability(
            feature,
            available=False,
            model=model,
            why_not=_unreached(facts),
            setting=_MODEL,
        )
    return Capability(feature, available=True, engine=Engine.MODEL, model=model)


def _dense(facts: Facts) -> Capability:
    feature = "search.dense"
    if facts.local_embedder is not None:
        return Capability(feature, True, Engine.DENSE, facts.local_embedder)  # noqa: FBT003 - `available`
    why_not = _why_not_dense(facts)
    return Capability(
        feature,
        available=why_not is None,
        engine=Engine.DENSE if why_not is None else None,
        model=facts.embedder,
        why_not=why_not,
        setting=None if why_not is None else _EMBED,
    )


def _why_not_dense(facts: Facts) -> str | None:
    if facts.embedder is None:
        return "No embedding model is configured."
    if facts.is_reachable is False:
        return _unreached(facts)
    if facts.is_reachable and facts.dimensions is None:
        return "The server answered, but gave no vector for the embedding model."
    return None


def _rerank(facts: Facts) -> Capability:
    return _by_service(
        "search.rerank", facts.reranker is not None, _RERANK, facts.reranker
    )


def _central(facts: Facts) -> Capability:
    return _by_service("search.central", facts.has_central, _CENTRAL)


def _by_service(
    feature: str,
    is_set: bool,  # noqa: FBT001 - the answer to one question
    setting: str,
    model: str | None = None,
) -> Capability:
    if is_set:
        return Capability(feature, available=True, engine=Engine.SERVICE, model=model)
    return Capability(
        feature, available=False, why_not="No such service is set.", setting=setting
    )


def _unreached(facts: Facts) -> str:
    told = f": {facts.problem}" if facts.problem else ""
    return f"The model server did not answer when it was asked last{told}."
