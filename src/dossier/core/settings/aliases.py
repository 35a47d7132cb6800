"""Names of variables that operators already use, for settings of ours."""

import os
from collections.abc import Mapping
from typing import Any, Final

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource
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
        """Tell whether a source of higher rank says where traces go, however written.

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
