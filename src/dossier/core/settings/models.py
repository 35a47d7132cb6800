"""Settings of models, search, jobs and chat."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from dossier.core.settings.group import Group


class AiSettings(Group):
    """Model servers; nothing set: answers are verbatim sentences, without a model."""

    base_url: str | None = Field(
        None,
        description="Any server of OpenAI's wire; unset with a key: its vendor's own.",
    )
    model: str | None = Field(
        None, description="Name of the strong model there; unset: the vendor's default."
    )
    api_key: SecretStr | None = Field(None, description="Its key, if it wants one.")
    embed_model: str | None = Field(None, description="Name of the embedding model.")
    cheap_model: str | None = Field(
        None, description="Summaries and other small work; unset: `model`."
    )
    vision_model: str | None = Field(
        None, description="For pictures; no feature uses it yet."
    )
    anthropic_api_key: SecretStr | None = Field(
        None, description="Alone: Anthropic answers; beside a base URL: the fallback."
    )
    anthropic_base_url: str | None = Field(
        None, description="Another server of Anthropic's wire."
    )
    fallback_base_url: str | None = Field(
        None, description="A second server of OpenAI's wire, when the first fails."
    )
    fallback_model: str | None = Field(None, description="Name of the model there.")
    fallback_api_key: SecretStr | None = Field(None, description="Its key.")
    window_tokens: int = Field(
        16_384, ge=1024, description="Context window of the strong model."
    )
    max_output_tokens: int = Field(
        1024, ge=16, description="Longest answer asked of a model."
    )
    connect_timeout_s: float = Field(5, gt=0, description="To reach the server.")
    first_token_timeout_s: float = Field(
        60, gt=0, description="From the question to the first token."
    )
    idle_timeout_s: float = Field(30, gt=0, description="Between two tokens.")
    max_retries: int = Field(
        2, ge=0, description="After 429, 5xx or no connection, before a token came."
    )
    breaker_failures: int = Field(
        5, ge=1, description="Failures in a row that open the breaker of a server."
    )
    breaker_reset_s: float = Field(
        30, gt=0, description="Until an open breaker lets one call through."
    )
    max_concurrent: int = Field(
        512, ge=1, description="Chat calls at once, per process."
    )
    price_input_usd_per_mtok: Decimal | None = Field(
        None, ge=0, description="Overrides the price list, with the next two."
    )
    price_output_usd_per_mtok: Decimal | None = Field(
        None, ge=0, description="USD per million tokens that the model writes."
    )
    price_cached_usd_per_mtok: Decimal | None = Field(
        None, ge=0, description="USD per million tokens read from the server's cache."
    )


class KnowledgeSettings(Group):
    """Search over the documents."""

    local_embed_model: str | None = Field(
        None, description="sentence-transformers model (extra `local-embed`)."
    )
    rerank_url: str | None = Field(
        None, description="Server of `POST /rerank`; unset: no reranking."
    )
    rerank_model: str | None = Field(None, description="Name of the model there.")
    rerank_api_key: SecretStr | None = Field(None, description="Its key.")
    central_url: str | None = Field(
        None, description="A central retrieval service; unset: none."
    )
    central_api_key: SecretStr | None = Field(None, description="Its key.")


class JobSettings(Group):
    """The worker, its queues, and the event logs of jobs."""

    child: bool = Field(
        default=True,
        description="`serve` starts a worker as its child (was `…__IN_PROCESS`).",
    )
    lease_s: float = Field(
        25, ge=0.5, description="A worker silent for this long has lost its jobs."
    )
    answers_lease_s: float = Field(
        10, ge=0.5, description="The same, for answers: somebody waits for them."
    )
    dequeue_timeout_s: float = Field(
        0.5, gt=0, description="Longest wait between two looks at the queue."
    )
    max_answers: int = Field(200, ge=2, description="Answers at once in one worker.")
    max_reading: int = Field(4, ge=2, description="Documents read at once.")
    max_indexing: int = Field(4, ge=2, description="Documents indexed at once.")
    max_concurrent: int = Field(
        200, ge=2, description="Other jobs at once in one worker."
    )
    batch_size: int = Field(20, ge=1, description="Jobs taken in one statement.")
    max_failures: int = Field(
        3, ge=1, description="Failures in a row, without progress, before `failed`."
    )
    max_deaths: int = Field(
        3, ge=1, description="Workers that may die in one job before it fails."
    )
    max_duration_s: int = Field(
        300, ge=1, description="An answer that takes longer fails."
    )
    flush_ms: int = Field(
        100, ge=10, le=250, description="Events are stored at most this far apart."
    )
    keep_alive_s: float = Field(
        15, gt=0, description="Between two comments in a quiet stream."
    )
    on_disconnect: Literal["continue", "cancel"] = Field(
        "continue", description="What becomes of an answer that nobody reads any more."
    )
    disconnect_grace_s: float = Field(
        5, ge=3, description="How long it may be unread where that is `cancel`."
    )
    keep_log_days: int = Field(
        365, ge=0, description="Events of a job that has ended stay this long; 0: ever."
    )
    seal_interval_s: int = Field(
        5, ge=1, le=60, description="How far the seal of the activity log may lag."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_former_name(cls, given: Any) -> Any:
        """Read `in_process`, the former name of `child`, where `child` is not set."""
        if isinstance(given, dict) and "in_process" in given:
            rest = {
                name: value for name, value in given.items() if name != "in_process"
            }
            return {"child": given["in_process"]} | rest
        return given


class ChatSettings(Group):
    """Rooms and answers."""

    max_message_characters: int = Field(
        32_000, ge=100, description="Longest message taken in."
    )
    share_ttl_days: int = Field(
        7, ge=1, le=365, description="Life of a shared link, unless stated."
    )
    cache_days: int = Field(30, ge=0, description="Life of a stored answer; 0: none.")


class TraceSettings(Group):
    """Traces of model calls by OTLP (extra `traces`), with the GenAI names."""

    endpoint: str | None = Field(
        None, description="OTLP over HTTP, such as a collector's; unset: no traces."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Sent with each batch (JSON object)."
    )
    content: bool = Field(
        default=False, description="Also send what was asked and answered."
    )
