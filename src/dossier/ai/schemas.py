"""Labels, usage, budgets and abilities as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from dossier.ai.constants import AnswerState
from dossier.core.schemas import ResponseModel


class Degraded(BaseModel):
    """Why an answer is less than what was configured."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    code: str
    detail: str


class AnswerLabel(BaseModel):
    """How an answer came about; every answer carries one."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    engine: Literal["model", "extractive"]
    model: str | None = None
    prompt_hash: str | None = None
    parser: str | None = None
    """Version of what read the papers."""
    ruleset: str | None = None
    """Version of the rules that checked, or made, the answer."""
    network: bool = False
    """Whether anything outside this installation was asked for it."""
    at: datetime
    from_cache: bool = False
    degraded: Degraded | None = None

    def cached(self) -> Self:
        """Return the label of the same answer, given again from the store."""
        return self.model_copy(update={"from_cache": True, "network": False})


class CacheFeatureResponse(ResponseModel):
    """Stored answers of one feature in one state."""

    feature: str
    state: AnswerState
    answers: int
    hits: int
    size_bytes: int
    oldest_at: datetime

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """Return the columns of a row by their names."""
        return cls.model_validate(dict(zip(cls.model_fields, row, strict=True)))


class CacheResponse(ResponseModel):
    """What the store of answers holds, and how often it answered."""

    answers: int
    pending: int
    hits: int
    size_bytes: int
    features: list[CacheFeatureResponse]
