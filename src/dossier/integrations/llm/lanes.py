"""Models of pydantic-ai for the servers of a plan.

This module imports pydantic-ai and the vendors' SDKs; import it where it is used.
"""

from collections.abc import Callable
from typing import Any, cast

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.profiles.anthropic import anthropic_model_profile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from dossier.integrations.llm.exceptions import ModelExtraMissingError
from dossier.integrations.llm.models import ServerAbilities
from dossier.integrations.llm.plan import CallLimits, ModelServer, Wire
from dossier.integrations.llm.vendors import manners_of

_NO_ANTHROPIC = "Anthropic needs the extra: pip install 'dossier[anthropic]'."


def open_http(
    limits: CallLimits, transport: httpx2.AsyncBaseTransport | None
) -> httpx2.AsyncClient:
    """Return a client that reaches out as the relay does and follows nowhere."""
    longest_s = limits.first_token_timeout_s + limits.idle_timeout_s
    timeout = httpx2.Timeout(longest_s, connect=limits.connect_timeout_s)
    return httpx2.AsyncClient(
        timeout=timeout, transport=transport, follow_redirects=False
    )


def lane(
    server: ModelServer, name: str, http: httpx2.AsyncClient, max_tokens: int
) -> Model:
    """Return a server's model; it does not retry by itself."""
    settings = _settings(server, name, max_tokens)
    return _LANES[server.wire](server, name, http, settings)


def _settings(server: ModelServer, name: str, max_tokens: int) -> ModelSettings:
    settings = ModelSettings(max_tokens=max_tokens)
    speaks_as_vendor = server.is_vendor or server.wire == "anthropic"
    if speaks_as_vendor and manners_of(name).extra:
        settings["thinking"] = False
    if server.wire == "anthropic":
        cached: dict[str, Any] = {"anthropic_cache_instructions": True}
        return cast("ModelSettings", settings | cached)
    return settings


def output_of(
    kind: Any, server: ModelServer, model: str, abilities: ServerAbilities | None
) -> Any:
    """Return how an answer is asked for: by schema, by tool, or in words."""
    if kind is str:
        return kind
    fills, calls = server.is_vendor or server.wire == "anthropic", True
    if abilities is not None and abilities.reachable:
        fills, calls = bool(abilities.json_schema), bool(abilities.tools)
    if fills and _may_fill(server, model):
        return NativeOutput(kind)
    return ToolOutput(kind) if calls else PromptedOutput(kind)


def _may_fill(server: ModelServer, model: str) -> bool:
    """Tell whether a model fills schemas; Anthropic's older ones do not."""
    profile = anthropic_model_profile(model) if server.wire == "anthropic" else None
    return profile is None or bool(profile.get("supports_json_schema_output"))


def _openai(
    server: ModelServer, name: str, http: httpx2.AsyncClient, settings: ModelSettings
) -> Model:
    from openai import AsyncOpenAI  # noqa: PLC0415 - half a second

    key = server.key.get_secret_value() if server.key else "none"
    client = AsyncOpenAI(
        base_url=server.base_url, api_key=key, http_client=http, max_retries=0
    )
    profile = OpenAIModelProfile(
        openai_chat_supports_max_completion_tokens=server.is_vendor,
        supports_json_object_output=server.is_vendor,
    )
    provider = OpenAIProvider(openai_client=client)
    return OpenAIChatModel(name, provider=provider, profile=profile, settings=settings)


def _anthropic(
    server: ModelServer, name: str, http: httpx2.AsyncClient, settings: ModelSettings
) -> Model:
    try:
        from anthropic import AsyncAnthropic  # noqa: PLC0415 - an extra
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415
    except ImportError as error:
        raise ModelExtraMissingError(_NO_ANTHROPIC) from error
    key = server.key.get_secret_value() if server.key else "none"
    client = AsyncAnthropic(
        base_url=server.base_url, api_key=key, http_client=http, max_retries=0
    )
    provider = AnthropicProvider(anthropic_client=client)
    return AnthropicModel(name, provider=provider, settings=settings)


_Lane = Callable[[ModelServer, str, httpx2.AsyncClient, ModelSettings], Model]
_LANES: dict[Wire, _Lane] = {
    "openai": _openai,
    "anthropic": _anthropic,
}
