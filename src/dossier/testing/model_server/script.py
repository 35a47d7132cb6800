"""The script of the server: its replies, its speed, its faults."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """Failures of a model server, or errors of a model."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    UNAUTHORISED = "unauthorised"
    CONTEXT_TOO_LONG = "context_too_long"
    NEVER_ANSWERS = "never_answers"
    MALFORMED = "malformed"
    CUT = "cut"
    SILENCE = "silence"
    STREAM_ERROR = "stream_error"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    FORGED_QUOTE = "forged_quote"
    UNKNOWN_CITATION = "unknown_citation"


class Deviation(StrEnum):
    """Deviations of servers from OpenAI's wire format that are no failures."""

    THINK_TAGS = "think_tags"
    THINK_WITHOUT_OPENING = "think_without_opening"
    PINGS = "pings"
    JSON_FOR_STREAM = "json_for_stream"
    UNKNOWN_FINISH = "unknown_finish"
    NO_MAX_TOKENS = "no_max_tokens"
    NO_STREAM_OPTIONS = "no_stream_options"
    NO_SYSTEM_ROLE = "no_system_role"


Area = Literal["chat", "embeddings", "rerank", "models"]


class _Scripted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScriptedFault(_Scripted):
    """One way to fail, for some calls or for all."""

    kind: FaultKind
    times: int | None = Field(default=None, ge=1)
    """Number of calls that fail; unset: all."""
    after_tokens: int = Field(default=3, ge=0)
    """Tokens that are sent before a fault in the middle of a stream."""
    retry_after_s: float | None = 1
    """Header of a refused call; unset: none."""
    on: Area = "chat"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `kind[:times][@tokens]`, such as `rate_limited:2` or `cut@5`."""
        text, _, after = text.partition("@")
        kind, _, times = text.partition(":")
        given: dict[str, Any] = {"kind": kind}
        if times:
            given["times"] = times
        if after:
            given["after_tokens"] = after
        return cls.model_validate(given)


class Rule(_Scripted):
    """The reply to a question that holds certain words."""

    when: str
    """Words of the question, in any case."""
    reply: str | None = None
    tool: str | None = None
    """A tool to call, if it is offered."""
    arguments: dict[str, Any] | None = None
    """Arguments of the tool; unset: filled from its schema."""


class Script(_Scripted):
    """All settings of the server; each can be changed while it runs."""

    delay_per_token_ms: float = Field(default=0, ge=0)
    first_token_delay_ms: float = Field(default=0, ge=0)
    reply_tokens: int = Field(default=40, ge=1)
    """Length of a reply to a question without passages."""
    reply: str | None = None
    """One reply to every question."""
    rules: tuple[Rule, ...] = ()
    faults: tuple[ScriptedFault, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    """Apply to OpenAI's wire format alone."""
    obeys_injections: bool = False
    """Follow instructions in passages, as a weak model would."""
    prefill: Literal["continue", "restart", "refuse"] = "continue"
    """Treatment of a last message of the assistant."""
    models: tuple[str, ...] = ("scripted", "scripted-embedding")
    any_model: bool = True
    """Accept models that are not in the list."""
    api_key: str | None = None
    """The only key that is accepted; unset: any, or none."""
    window_tokens: int | None = None
    """Longer prompts are refused; unset: none."""
    supports_tools: bool = True
    supports_json_schema: bool = True
    supports_stream_usage: bool = True
    embedding_dimensions: int = Field(default=256, ge=1, le=8192)
    alike: tuple[tuple[str, ...], ...] = ()
    """Groups of texts whose vectors are equal, though they share no word."""
    english_only: bool = False
    """Ignore Chinese in embeddings, as many small models do. Otherwise the sentences
    that embedders are tested with have equal vectors in English and in Chinese."""

    def changed(self, changes: dict[str, Any]) -> Self:
        """Return this script with some settings changed."""
        return type(self).model_validate({**dict(self), **changes})


@dataclass(slots=True)
class PendingFaults:
    """The faults of a script, and how often each still happens."""

    left: list[tuple[ScriptedFault, int | None]]

    @classmethod
    def of(cls, script: Script) -> Self:
        """Return all faults of a script."""
        return cls([(fault, fault.times) for fault in script.faults])

    def take(self, area: Area) -> ScriptedFault | None:
        """Return the fault of the next call in an area, and count it."""
        for place, (fault, times) in enumerate(self.left):
            if fault.on == area and times != 0:
                self.left[place] = (fault, None if times is None else times - 1)
                return fault
        return None
