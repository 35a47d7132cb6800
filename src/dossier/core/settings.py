"""Every setting, in frozen groups; read once at the composition roots.

Variables start with `DOSSIER_`, groups are separated by two underscores
(`DOSSIER_DATABASE__URL`). A few names that operators already use are aliases.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, LiteralString, Self
from urllib.parse import SplitResult, urlsplit

import platformdirs
from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

ALIASES: dict[str, tuple[str, str]] = {
    "DATABASE_URL": ("database", "url"),
    "AI_BASE_URL": ("ai", "base_url"),
    "AI_MODEL": ("ai", "model"),
    "AI_API_KEY": ("ai", "api_key"),
    "AI_EMBED_MODEL": ("ai", "embed_model"),
    "OPENAI_API_KEY": ("ai", "api_key"),
    "ANTHROPIC_API_KEY": ("ai", "anthropic_api_key"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("traces", "endpoint"),
    # What answers had for themselves before they were jobs.
    "DOSSIER_RUNS__LEASE_S": ("jobs", "answers_lease_s"),
    "DOSSIER_RUNS__BATCH_MS": ("jobs", "flush_ms"),
    "DOSSIER_RUNS__KEEP_ALIVE_S": ("jobs", "keep_alive_s"),
    "DOSSIER_RUNS__ON_DISCONNECT": ("jobs", "on_disconnect"),
    "DOSSIER_RUNS__KEEP_LOG_DAYS": ("jobs", "keep_log_days"),
    "DOSSIER_RUNS__MAX_DURATION_S": ("jobs", "max_duration_s"),
    "DOSSIER_RUNS__MAX_ATTEMPTS": ("jobs", "max_deaths"),
}
"""Names in use elsewhere; the first one that is set wins over the later ones."""

LANGSMITH_KEY: Final = "LANGSMITH_API_KEY"
LANGSMITH_PROJECT: Final = "LANGSMITH_PROJECT"
_LANGSMITH_ENDPOINT: Final = "LANGSMITH_ENDPOINT"
_LANGSMITH_URL: Final = "https://api.smith.langchain.com"


def _url(is_fit: Callable[[SplitResult], object], advice: LiteralString) -> Any:
    """Refuse a URL that cannot work; a value may hold a password: it is not shown."""

    def check(given: str | None) -> str | None:
        if given is None:
            return None
        with suppress(ValueError):  # brackets without an address, a port of letters
            parts = urlsplit(given.strip())
            _ = parts.port
            if is_fit(parts):
                return given.strip()
        kind = "url"
        raise PydanticCustomError(kind, advice)

    return AfterValidator(check)


def _has_server(parts: SplitResult) -> bool:
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


ServerUrl = Annotated[
    str | None,
    _url(
        _has_server,
        "not the address of a server; write http:// or https:// and the host, "
        "such as http://127.0.0.1:11434/v1",
    ),
]
DatabaseUrl = Annotated[
    str | None,
    _url(
        # Without a host the query may name the folder of a Unix socket.
        lambda parts: parts.scheme.partition("+")[0] in {"postgres", "postgresql"},
        "not the address of a PostgreSQL database; write "
        "postgresql://user:password@host:5432/database",
    ),
]
StoreUrl = Annotated[
    str | None,
    _url(
        lambda parts: parts.scheme and (parts.netloc or parts.path.startswith("/")),
        "not the address of an object store; write s3://bucket/prefix",
    ),
]
CorsOrigin = Annotated[
    str,
    _url(
        lambda parts: (
            parts.geturl() == "*"
            or (
                _has_server(parts)
                and parts.geturl() == f"{parts.scheme}://{parts.netloc}"
                and "@" not in parts.netloc
            )
        ),
        "not the origin of a web page; write http:// or https://, the host and the "
        "port if there is one, without a path, such as https://app.example",
    ),
]


class Group(BaseModel):
    """A group of settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(Group):
    """The database."""

    url: DatabaseUrl = Field(
        None,
        description="PostgreSQL >= 15 with pgvector; unset: the embedded one.",
    )
    owner_url: DatabaseUrl = Field(
        None, description="Log-in that may create roles and tables, for migrations."
    )
    migrate_on_start: bool = Field(
        default=True, description="Apply migrations before serving."
    )
    pool_size: int = Field(10, ge=1, le=100, description="Connections per process.")
    statement_timeout_s: int = Field(
        30,
        ge=1,
        description="A statement that takes longer is ended; in a request: 10 at most.",
    )
    durable: bool = Field(
        default=True,
        description="Embedded only: false trades safety at power loss for speed.",
    )


class AuthSettings(Group):
    """Authentication."""

    mode: Literal["open", "password"] = Field(
        "open",
        description="`open`: one machine, loopback only, no log-in. `password`: JWT.",
    )
    secret: SecretStr | None = Field(
        None,
        description="Signs tokens, 32 characters or more; unset: made once in HOME.",
    )
    token_ttl_s: int = Field(900, ge=60, le=900, description="Life of an access token.")
    principal_cache_s: int = Field(
        15, ge=0, le=30, description="How long a verified token is remembered."
    )


class SourcesSettings(Group):
    """Look-ups in public sources; a question may tell a secret: the default is none."""

    mode: Literal["offline", "cache", "live"] = Field(
        "offline", description="`offline` asks no service, `cache` only what is stored."
    )
    fresh_days: int = Field(
        30, ge=0, description="A stored answer that is younger is not asked for again."
    )
    contact: str | None = Field(
        None, description="E-mail address that PubMed and Wikipedia may write to."
    )
    tavily_api_key: SecretStr | None = Field(
        None, description="Key of the web search; unset: its keyless access."
    )
    pubmed_api_key: SecretStr | None = Field(None, description="Key of PubMed.")
    base_urls: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: other addresses of sources, by name (a mirror, a twin).",
    )


class StorageSettings(Group):
    """Where the bytes of documents and reports lie."""

    url: StoreUrl = Field(
        None, description="`s3://bucket/prefix` or unset: the folder HOME/blobs."
    )


class LimitSettings(Group):
    """Limits."""

    max_upload_mib: int = Field(200, ge=1, description="Largest file taken in.")
    max_body_kib: int = Field(
        1024, ge=1, description="Largest request body that is not an upload."
    )
    requests_per_minute: int = Field(
        600, ge=0, description="Per member or address; 0 switches it off."
    )
    wrong_passwords: int = Field(
        5,
        ge=0,
        description="Of one account before each attempt must wait, 1 to 30 s; four "
        "times as many from one address. 0 switches it off.",
    )
    parse_timeout_s: int = Field(
        120, ge=1, description="A reader that takes longer is killed."
    )
    parse_memory_mib: int = Field(
        1536, ge=128, description="Address space of one reader."
    )
    parse_containment: Literal["best", "require"] = Field(
        "best",
        description="`require`: read nothing where the kernel lacks a needed layer.",
    )
    max_text_mib: int = Field(32, ge=1, description="Text layer kept of one document.")


class WebSettings(Group):
    """The HTTP server."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one.")
    cors_origins: tuple[CorsOrigin, ...] = Field(
        (), description="Origins that browsers may call from (JSON list)."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses whose `X-Forwarded-For` is trusted (JSON list)."
    )


class LoggingSettings(Group):
    """JSON lines on standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level that is written."
    )


class ReportSettings(Group):
    """How the file is typeset."""

    font_dir: Path | None = Field(
        None, description="Folder with a CJK font family, taken before all others."
    )


class AiSettings(Group):
    """Model servers; nothing set: answers are verbatim sentences, without a model."""

    base_url: ServerUrl = Field(
        None,
        description="A server that speaks OpenAI's API; unset with a key: its vendor.",
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
    anthropic_base_url: ServerUrl = Field(
        None, description="Another server of Anthropic's wire."
    )
    fallback_base_url: ServerUrl = Field(
        None, description="A second server of OpenAI's API, when the first fails."
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

    @model_validator(mode="after")
    def _require_both_prices(self) -> Self:
        """Refuse one price of two: budgets would reserve too little."""
        prices = (self.price_input_usd_per_mtok, self.price_output_usd_per_mtok)
        if prices.count(None) == 1:
            kind: LiteralString = "prices_incomplete"
            problem: LiteralString = (
                "set PRICE_INPUT_USD_PER_MTOK and PRICE_OUTPUT_USD_PER_MTOK together"
            )
            raise PydanticCustomError(kind, problem)
        return self


class KnowledgeSettings(Group):
    """Search over the documents."""

    local_embed_model: str | None = Field(
        None, description="sentence-transformers model (extra `local-embed`)."
    )
    rerank_url: ServerUrl = Field(
        None, description="Server of `POST /rerank`; unset: no reranking."
    )
    rerank_model: str | None = Field(None, description="Name of the model there.")
    rerank_api_key: SecretStr | None = Field(None, description="Its key.")
    central_url: ServerUrl = Field(
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
        10, ge=0.5, description="The same, for answers: a person waits for them."
    )
    dequeue_timeout_s: float = Field(
        0.5, gt=0, description="Longest wait between two looks at the queue."
    )
    max_answers: int = Field(200, ge=2, description="Answers at once in one worker.")
    max_workflows: int = Field(
        400, ge=2, description="Runs of workflows at once in one worker."
    )
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
        "continue", description="What happens to an answer that has no reader any more."
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

    endpoint: ServerUrl = Field(
        None, description="OTLP over HTTP, such as a collector's; unset: no traces."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Sent with each batch (JSON object)."
    )
    content: bool = Field(
        default=False, description="Also send what was asked and answered."
    )


def default_home() -> Path:
    """Return the platform's user data folder for Dossier."""
    return platformdirs.user_data_path("dossier")


class Settings(BaseSettings):
    """All settings; everything below the composition roots receives values."""

    model_config = SettingsConfigDict(
        env_prefix="DOSSIER_",
        env_nested_delimiter="__",
        env_file=".env",
        env_ignore_empty=True,  # `VARIABLE=` is how shells and files unset one
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(
        default_factory=default_home,
        description="Folder of the embedded database, blobs and the secret.",
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    auth: AuthSettings = Field(default_factory=AuthSettings)
    ai: AiSettings = Field(default_factory=AiSettings)
    knowledge: KnowledgeSettings = Field(default_factory=KnowledgeSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)
    traces: TraceSettings = Field(default_factory=TraceSettings)
    sources: SourcesSettings = Field(default_factory=SourcesSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    reports: ReportSettings = Field(default_factory=ReportSettings)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            AliasSource(settings_cls),
            file_secret_settings,
        )


class AliasSource(PydanticBaseSettingsSource):
    """Reads the names in `ALIASES`, below the prefixed ones in rank."""

    @override
    def get_field_value(
        self, field: FieldInfo, field_name: str
    ) -> tuple[Any, str, bool]:
        return None, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        env_file = self.config.get("env_file")
        stored = dotenv_values(env_file) if isinstance(env_file, str) else {}
        given = stored | {name: value for name, value in os.environ.items() if value}
        values: dict[str, dict[str, Any]] = {}
        for name, (group, field) in ALIASES.items():
            value = given.get(name)
            if value:
                values.setdefault(group, {}).setdefault(field, value)
        if not self._has_endpoint() and "endpoint" not in values.get("traces", {}):
            values |= _langsmith(given)
        return values

    def _has_endpoint(self) -> bool:
        """Return whether a source of higher rank names the endpoint of traces.

        Another collector must never get LangSmith's key.
        """
        traces = self.current_state.get("traces")
        if traces is None:
            return False
        if isinstance(traces, Mapping):
            return any(str(name).lower() == "endpoint" for name in traces)
        return True


def _langsmith(given: Mapping[str, str | None]) -> dict[str, Any]:
    """Return where traces go, where LangSmith's key alone says so."""
    key = given.get(LANGSMITH_KEY)
    if not key:
        return {}
    project = given.get(LANGSMITH_PROJECT)
    server = given.get(_LANGSMITH_ENDPOINT) or _LANGSMITH_URL
    named = {"Langsmith-Project": project} if project else {}
    endpoint = f"{server.rstrip('/')}/otel"
    return {"traces": {"endpoint": endpoint, "headers": {"x-api-key": key} | named}}
