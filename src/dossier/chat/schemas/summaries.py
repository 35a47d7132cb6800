"""The form in which a model is asked for a running summary."""

from typing import Annotated

from pydantic import BaseModel, Field

Statement = Annotated[str, Field(min_length=1, max_length=300)]


class ToldFact(BaseModel):
    """One statement that later turns may rely on."""

    text: Statement
    turns: Annotated[
        list[int],
        Field(min_length=1, max_length=8, description="Numbers of turns that said it."),
    ]


class ToldSummary(BaseModel):
    """What was said before, in short."""

    summary: Annotated[str, Field(min_length=1, max_length=1500)]
    facts: Annotated[list[ToldFact], Field(max_length=12)]
    open_questions: Annotated[list[Statement], Field(max_length=6)]
