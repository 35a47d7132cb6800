"""One model server: its client, its models, its circuit breaker."""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import httpx2
from pydantic_ai.embeddings import EmbeddingModel
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model
from pydantic_ai.output import NativeOutput, PromptedOutput, ToolOutput
from pydantic_ai.settings import ModelSettings

import dossier
from dossier.integrations.llm import failures
from dossier.integrations.llm.breaker import Breaker
from dossier.integrations.llm.plan import AUTO_MODEL, CallLimits, ModelServer
from dossier.integrations.llm.transport import LenientTransport
from dossier.integrations.llm.types import Purpose, ServerAbilities

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

_HEADERS = {
    "User-Agent": f"dossier/{dossier.__version__}",
    "Accept-Encoding": "identity",  # compression would hold tokens back
}


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx2.create_ssl_context()  # reading them takes 20 ms


class ServerClient:
    """Builds a server's models; one object per process, server and kind of work.

    The vendors' clients and adapters are imported for the protocol that is spoken:
    each takes 20 MiB.
    """

    def __init__(
        self,
        server: ModelServer,
        limits: CallLimits,
        *,
        taken: Sequence[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server
        self.limits = limits
        self.breaker = Breaker(
            limits.breaker_failures, limits.breaker_reset_s, monotonic
        )
        self._taken = taken
        self._found: str | None = None
        self._client = self._opened()

    def chat_model(self, name: str) -> Model:
        """Return a chat model."""
        client: Any = self._client
        if self.server.wire == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
            from pydantic_ai.providers.anthropic import (  # noqa: PLC0415
                AnthropicProvider,
            )

            return AnthropicModel(
                name,
                provider=AnthropicProvider(anthropic_client=client),
                settings=self._settings(),
            )
        from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
        from pydantic_ai.profiles.openai import OpenAIModelProfile  # noqa: PLC0415
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

        profile = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
        if not self.server.is_vendor:
            profile |= OpenAIModelProfile(
                openai_chat_supports_max_completion_tokens=False,
                openai_chat_supports_allowed_tools=False,
                supports_json_object_output=False,
            )
        return OpenAIChatModel(
            name,
            provider=OpenAIProvider(openai_client=client),
            profile=profile,
            settings=self._settings(),
        )

    def embedding_model(self) -> EmbeddingModel:
        """Return the embedding model; Anthropic has none."""
        from pydantic_ai.embeddings.openai import (  # noqa: PLC0415
            OpenAIEmbeddingModel,
        )
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

        # The client would ask for base64, which not all servers know.
        form = {} if self.server.is_vendor else {"encoding_format": "float"}
        return OpenAIEmbeddingModel(
            self.server.models[Purpose.EMBEDDING],
            provider=OpenAIProvider(openai_client=cast("AsyncOpenAI", self._client)),
            settings={"extra_body": form},
        )

    def adapted(
        self, messages: Sequence[ModelMessage], settings: ModelSettings | None
    ) -> ModelSettings:
        """Return the settings of a call in the form that the server understands."""
        adapted: dict[str, Any] = dict(settings or {})
        if self.server.wire == "anthropic":
            adapted.pop("temperature", None)  # its present models know none
        elif isinstance(messages[-1], ModelResponse) and not self.server.is_vendor:
            # vLLM must be asked to continue a text; others do so and ignore this.
            adapted["extra_body"] = {
                "continue_final_message": True,
                "add_generation_prompt": False,
            }
        return cast("ModelSettings", adapted)

    def known_name(self, purpose: Purpose) -> str:
        """Return a model's name; `AUTO_MODEL` while the server has not been asked."""
        name = self.server.models[purpose]
        return self._found or name if name == AUTO_MODEL else name

    async def find_name(self, purpose: Purpose) -> str:
        """Return a model's name, asking a server once that names it itself.

        Raises `CallFailedError` where it lists none, or several to choose from.
        """
        name = self.known_name(purpose)
        if name == AUTO_MODEL:
            listed = await self.list_models()
            chatting = [
                each
                for each in listed
                if each not in self._taken and "embed" not in each
            ]
            if len(chatting) != 1:
                raise failures.unnamed(self.server.label, len(chatting))
            [name] = chatting
            self._found = name
        return name

    async def list_models(self) -> tuple[str, ...]:
        """Return the names of all models that the server lists."""
        label, limit_s = self.server.label, self.limits.first_token_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                page = await self._client.models.list()
            return tuple(str(model.id) for model in page.data or ())
        except TimeoutError:
            raise failures.silent(label, limit_s, has_begun=False) from None
        except Exception as error:  # noqa: BLE001 - as of calls
            # The vendors' clients raise their own classes here, not pydantic-ai's.
            if isinstance(error.__cause__, httpx2.TransportError):
                raise failures.unreachable(label, "no connection") from None
            status = getattr(error, "status_code", None)
            if status is not None:
                body = getattr(error, "body", None)
                error = ModelHTTPError(status, self.server.label, body)
            raise failures.failure_of(label, error, has_begun=False) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _opened(self) -> "AsyncOpenAI | AsyncAnthropic":
        limits = self.limits
        # Whole answers and tokens have time-outs of their own, above the clients.
        timeout = httpx2.Timeout(None, connect=limits.connect_timeout_s)
        connections = httpx2.Limits(keepalive_expiry=30)
        inner = httpx2.AsyncHTTPTransport(verify=_certificates(), limits=connections)
        self.transport = LenientTransport(self.server.label, inner)
        http = httpx2.AsyncClient(
            transport=self.transport, headers=_HEADERS, timeout=timeout, trust_env=False
        )
        key = self.server.key.get_secret_value() if self.server.key else "none"
        options: dict[str, Any] = {
            "base_url": self.server.base_url,
            "api_key": key,
            "http_client": http,
            "timeout": timeout,
            "max_retries": limits.max_retries,
        }
        if self.server.wire == "anthropic":
            from anthropic import AsyncAnthropic  # noqa: PLC0415

            return AsyncAnthropic(**options)
        from openai import AsyncOpenAI  # noqa: PLC0415

        return AsyncOpenAI(**options)

    def _settings(self) -> ModelSettings:
        limits = self.limits
        settings = ModelSettings(
            max_tokens=limits.max_output_tokens,
            first_event_timeout=limits.first_token_timeout_s,
        )
        if self.server.is_vendor or self.server.wire == "anthropic":
            # Hidden reasoning would use up the output tokens and the time to the first.
            settings["thinking"] = False
        if self.server.wire == "anthropic":
            cached: dict[str, Any] = {"anthropic_cache_instructions": True}
            return cast("ModelSettings", settings | cached)
        return settings


def output_form(
    kind: Any, server: ModelServer, model: str, abilities: ServerAbilities | None
) -> Any:
    """Return how a typed answer is asked for: by schema, by tool, or in words."""
    fills, calls = server.is_vendor or server.wire == "anthropic", True
    if abilities is not None and abilities.reachable:
        fills, calls = bool(abilities.json_schema), bool(abilities.tools)
    if fills and server.wire == "anthropic":  # its older models fill none
        from pydantic_ai.profiles.anthropic import (  # noqa: PLC0415
            anthropic_model_profile,
        )

        profile = anthropic_model_profile(model)
        fills = bool(profile and profile.get("supports_json_schema_output"))
    if fills:
        return NativeOutput(kind)
    return ToolOutput(kind) if calls else PromptedOutput(kind)
