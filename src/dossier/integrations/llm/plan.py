"""Which servers are asked, in which order and for which models, from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from dossier.core.settings import AiSettings
from dossier.integrations.llm.types import Purpose

Wire = Literal["openai", "anthropic"]

AUTO_MODEL = "auto"
"""Stands for a model that the server names itself: the only one that it lists."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor's address, and the models that are asked where none is named."""

    base_url: str
    strong: str
    cheap: str


OPENAI_VENDOR = Vendor("https://api.openai.com/v1", "gpt-6.1-terra", "gpt-6-luna")
ANTHROPIC_VENDOR = Vendor(
    "https://api.anthropic.com", "claude-sonnet-5-5", "claude-haiku-5-5"
)
VENDOR_HOSTS = frozenset({"api.openai.com", "api.anthropic.com"})


@dataclass(frozen=True, slots=True)
class ModelServer:
    """One server, and its model for each purpose; `AUTO_MODEL`: the one it lists."""

    wire: Wire
    base_url: str
    key: SecretStr | None
    models: Mapping[Purpose, str]

    @property
    def label(self) -> str:
        """Return host and port, without a key or a password."""
        parts = urlsplit(self.base_url)
        return parts.netloc.rpartition("@")[2] or self.base_url

    @property
    def is_vendor(self) -> bool:
        """Return whether this is a vendor's own address."""
        return urlsplit(self.base_url).hostname in VENDOR_HOSTS


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How long and how often a server is tried."""

    connect_timeout_s: float
    first_token_timeout_s: float
    idle_timeout_s: float
    max_retries: int
    breaker_failures: int
    breaker_reset_s: float
    max_concurrent: int
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Servers in the order in which they are asked, and the one that embeds."""

    servers: tuple[ModelServer, ...]
    embedder: ModelServer | None
    limits: CallLimits


def model_plan(ai: AiSettings) -> ModelPlan | None:
    """Return the servers to ask; `None` where the settings name none."""
    primary = _primary(ai)
    anthropic = _anthropic(ai, is_first=primary is None)
    candidates = (primary, anthropic, _fallback(ai))
    servers = tuple(server for server in candidates if server is not None)
    if not servers:
        return None
    embedder = None
    if primary is not None and ai.embed_model:  # Anthropic's wire has no embeddings
        embedder = replace(primary, models={Purpose.EMBEDDING: ai.embed_model})
    limits = CallLimits(
        connect_timeout_s=ai.connect_timeout_s,
        first_token_timeout_s=ai.first_token_timeout_s,
        idle_timeout_s=ai.idle_timeout_s,
        max_retries=ai.max_retries,
        breaker_failures=ai.breaker_failures,
        breaker_reset_s=ai.breaker_reset_s,
        max_concurrent=ai.max_concurrent,
        max_output_tokens=ai.max_output_tokens,
    )
    return ModelPlan(servers, embedder, limits)


def _primary(ai: AiSettings) -> ModelServer | None:
    key = _key(ai.api_key)
    if ai.base_url:
        models = _named(ai, strong=ai.model or AUTO_MODEL)
        return ModelServer("openai", _without_slash(ai.base_url), key, models)
    if key is None:
        return None
    return ModelServer(
        "openai", OPENAI_VENDOR.base_url, key, _vendor_models(ai, OPENAI_VENDOR)
    )


def _anthropic(ai: AiSettings, *, is_first: bool) -> ModelServer | None:
    key = _key(ai.anthropic_api_key)
    if key is None and not ai.anthropic_base_url:
        return None
    models = {
        Purpose.STRONG: ANTHROPIC_VENDOR.strong,
        Purpose.CHEAP: ANTHROPIC_VENDOR.cheap,
    }
    if is_first:  # the names in the settings are those of the first server
        models = _vendor_models(ai, ANTHROPIC_VENDOR)
    url = _without_slash(ai.anthropic_base_url or ANTHROPIC_VENDOR.base_url)
    return ModelServer("anthropic", url.removesuffix("/v1"), key, models)


def _fallback(ai: AiSettings) -> ModelServer | None:
    if not ai.fallback_base_url:
        return None
    name = ai.fallback_model or AUTO_MODEL
    models = {Purpose.STRONG: name, Purpose.CHEAP: name}
    url, key = _without_slash(ai.fallback_base_url), _key(ai.fallback_api_key)
    return ModelServer("openai", url, key, models)


def _vendor_models(ai: AiSettings, vendor: Vendor) -> dict[Purpose, str]:
    if ai.model:
        return _named(ai, strong=ai.model)
    models = _named(ai, strong=vendor.strong)
    return models if ai.cheap_model else models | {Purpose.CHEAP: vendor.cheap}


def _named(ai: AiSettings, *, strong: str) -> dict[Purpose, str]:
    models = {Purpose.STRONG: strong, Purpose.CHEAP: ai.cheap_model or strong}
    if ai.vision_model:
        models[Purpose.VISION] = ai.vision_model
    return models


def _without_slash(url: str) -> str:
    return url.strip().rstrip("/")


def _key(key: SecretStr | None) -> SecretStr | None:
    """Treat an empty key as none: `OPENAI_API_KEY=` is how shells unset one."""
    return key if key is not None and key.get_secret_value().strip() else None
