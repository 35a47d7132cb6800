"""Every setting, in frozen groups; read once at the composition roots.

Variables start with `DOSSIER_`, groups are separated by two underscores
(`DOSSIER_DATABASE__URL`). A few names that operators already use are aliases.
"""

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from dossier.core.settings.aliases import AliasSource
from dossier.core.settings.group import Group
from dossier.core.settings.models import (
    AiSettings,
    ChatSettings,
    JobSettings,
    KnowledgeSettings,
    TraceSettings,
)


class DatabaseSettings(Group):
    """Where the data live."""

    url: str | None = Field(
        None,
        description="PostgreSQL >= 15 with pgvector; unset: the embedded one.",
    )
    owner_url: str | None = Field(
        None, description="Log-in that may create roles and tables, for migrations."
    )
    migrate_on_start: bool = Field(
        default=True, description="Apply migrations before serving."
    )
    pool_size: int = Field(10, ge=1, le=100, description="Connections per process.")
    statement_timeout_s: int = Field(
        30, ge=1, description="A statement that takes longer is ended."
    )
    durable: bool = Field(
        default=True,
        description="Embedded only: false trades safety at power loss for speed.",
    )


class AuthSettings(Group):
    """Who may come in."""

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
    """Look-ups outside; a formula is a secret, so the default asks nobody."""

    mode: Literal["offline", "cache", "live"] = Field(
        "offline", description="`offline` asks nothing, `cache` only what is stored."
    )


class StorageSettings(Group):
    """Where the bytes of documents and reports lie."""

    url: str | None = Field(
        None, description="`s3://bucket/prefix` or unset: the folder HOME/blobs."
    )


class LimitSettings(Group):
    """What is too much."""

    max_upload_mib: int = Field(200, ge=1, description="Largest file taken in.")
    max_body_kib: int = Field(
        1024, ge=1, description="Largest request body that is not an upload."
    )
    requests_per_minute: int = Field(
        600, ge=0, description="Per API key, member or address; 0 switches it off."
    )
    logins_per_minute: int = Field(
        10, ge=0, description="Log-in attempts per address; 0 switches it off."
    )
    parse_timeout_s: int = Field(
        120, ge=1, description="A reader that takes longer is killed."
    )
    parse_memory_mib: int = Field(
        1536, ge=128, description="Address space of one reader."
    )
    max_text_mib: int = Field(32, ge=1, description="Text layer kept of one document.")


class WebSettings(Group):
    """The HTTP face."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one.")
    cors_origins: tuple[str, ...] = Field(
        (), description="Origins that browsers may call from (JSON list)."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Addresses whose `X-Forwarded-For` is believed (JSON list)."
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


def default_home() -> Path:
    """Return the platform's user data folder for Dossier."""
    return platformdirs.user_data_path("dossier")


class Settings(BaseSettings):
    """All settings; everything below the composition roots receives values."""

    model_config = SettingsConfigDict(
        env_prefix="DOSSIER_",
        env_nested_delimiter="__",
        env_file=".env",
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
