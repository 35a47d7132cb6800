"""The base of every group of settings."""

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """A group of settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")
