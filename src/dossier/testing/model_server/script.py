"""What the server shall say, how fast, and how it shall fail."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """Ways in which a model server fails, or a model errs."""

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
    """Ways in which servers deviate from OpenAI's wire without failing."""

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


class Fault(_Scripted):
    """One way to fail, for some calls or for all."""

    kind: FaultKind
    times: int | None = Field(default=None, ge=1)
    """Calls that fail before the server is well again; unset: all."""
    after_tokens: int = Field(default=3, ge=0)
    """Tokens that are still told, of faults in mid-stream."""
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
    """What to answer where the last question holds certain words."""

    when: str
    """Found in the question, whatever the case."""
    reply: str | None = None
    tool: str | None = None
    """A tool to call, if it is offered."""
    arguments: dict[str, Any] | None = None
    """Of that tool; unset: filled from its schema."""


class Script(_Scripted):
    """All knobs; each can be turned while the server runs."""

    delay_per_token_ms: float = Field(default=0, ge=0)
    first_token_delay_ms: float = Field(default=0, ge=0)
    reply_tokens: int = Field(default=40, ge=1)
    """Length of an answer to a question that brings no passages."""
    reply: str | None = None
    """Said to everything."""
    rules: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    """Of OpenAI's wire alone."""
    obeys_injections: bool = False
    """Does what a passage demands, as a weak model would."""
    prefill: Literal["continue", "restart", "refuse"] = "continue"
    """What becomes of a last turn of the assistant."""
    models: tuple[str, ...] = ("scripted", "scripted-embedding")
    any_model: bool = True
    """Serve names that are not in the list, too."""
    api_key: str | None = None
    """The one key that opens; unset: any, or none."""
    window_tokens: int | None = None
    """Longer prompts are refused; unset: none."""
    supports_tools: bool = True
    supports_json_schema: bool = True
    supports_stream_usage: bool = True
    embedding_dimensions: int = Field(default=256, ge=1, le=8192)
    alike: tuple[tuple[str, ...], ...] = ()
    """Groups of texts that lie together, though they share no word."""
    english_only: bool = False
    """Embeddings see no Chinese, as those of many small models; else the sentences
    that embedders are tried with lie together in English and in Chinese."""

    def changed(self, changes: dict[str, Any]) -> Self:
        """Return this script with some knobs turned; the rest stays."""
        return type(self).model_validate({**dict(self), **changes})


@dataclass(slots=True)
class PendingFaults:
    """The faults of a script, and how often each still happens."""

    left: list[tuple[Fault, int | None]]

    @classmethod
    def of(cls, script: Script) -> Self:
        """Start anew."""
        return cls([(fault, fault.times) for fault in script.faults])

    def take(self, area: Area) -> Fault | None:
        """Return the fault of the next call in an area, and count it."""
        for place, (fault, times) in enumerate(self.left):
            if fault.on == area and times != 0:
                self.left[place] = (fault, None if times is None else times - 1)
                return fault
        return None
