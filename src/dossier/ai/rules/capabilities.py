"""What works with the present settings, by what, and what is missing where not."""

from dataclasses import dataclass

from dossier.ai.constants import Engine

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
_NO_LANGUAGE = "The embedding model tells neither Chinese nor English sentences apart."


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
    return [
        _answers(facts),
        _by_model("chat.plain", facts, facts.strong, facts.fallback),
        _by_model("chat.summary", facts, facts.cheap, facts.cheap_fallback),
        Capability("search.lexical", available=True, engine=Engine.LEXICAL),
        _dense(facts),
        _rerank(facts),
        _central(facts),
        Capability(
            "ocr",
            available=False,
            why_not="Only the text layer of a paper is read, not its pictures.",
        ),
        Capability(
            "vision",
            available=False,
            why_not="No feature shows a picture to a model yet, whichever is set.",
        ),
    ]


def _answers(facts: Facts) -> Capability:
    """Answers always come: without a model they are sentences of the papers."""
    by_model = _by_model("chat.answer", facts, facts.strong, facts.fallback)
    if by_model.available:
        return by_model
    return Capability(
        "chat.answer",
        available=True,
        engine=Engine.EXTRACTIVE,
        why_not=by_model.why_not,
        setting=by_model.setting,
    )


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


def _dense(facts: Facts) -> Capability:
    missing = _missing_embedder(facts)
    why_not, setting = missing or (_why_not_embedded(facts), _EMBED)
    return Capability(
        "search.dense",
        available=why_not is None,
        engine=Engine.DENSE if why_not is None else None,
        model=facts.local_embedder or facts.embedder,
        why_not=why_not,
        setting=None if why_not is None else setting,
    )


def _missing_embedder(facts: Facts) -> tuple[str, str] | None:
    """Tell what has to be set or installed before anything can embed."""
    if facts.local_embedder is not None:
        return None if facts.has_local_library else (_NO_LIBRARY, _LOCAL)
    if facts.embedder is not None:
        return None
    return (_NO_EMBEDDER, _EMBED) if facts.embed_model is None else (_NO_HOST, _MODEL)


def _why_not_embedded(facts: Facts) -> str | None:
    """Tell what the probe found; the server may embed where it does not chat."""
    if facts.local_embedder is not None or facts.is_reachable is None:
        return None
    if facts.dimensions is None:
        return _NO_VECTOR if facts.is_reachable else _unreached(facts)
    return None if facts.languages else _NO_LANGUAGE


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
    told = f": {facts.problem.rstrip('.')}" if facts.problem else ""
    return f"The model server gave no answer when it was asked last{told}."
