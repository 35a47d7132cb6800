"""What of a model's summary is kept: what was said, as short as it has to be."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dossier.chat.rules.claims_links import without_foreign_links
from dossier.chat.rules.claims_numbers import unsupported_numbers
from dossier.chat.rules.passages import cleaned
from dossier.chat.rules.wording import estimated_tokens

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class SaidFact:
    """A statement, and the numbers of the turns that it is said to come from."""

    text: str
    turns: Sequence[int]


def summary_text(
    summary: str,
    facts: Iterable[SaidFact],
    open_questions: Iterable[str],
    told: Mapping[int, str],
    limit_tokens: int,
) -> str | None:
    """Return a summary as it is kept; `None` where nothing of it holds.

    `told` is what the model was given, by its numbers. A statement that names a turn
    which is not there, or a number that was not said in its turns, is left out.
    """
    everything = list(told.values())
    sentences = _SENTENCE_END.split(summary)
    lines = [
        " ".join(_supported(sentences, everything)),
        *(f"- {fact}" for fact in _facts(facts, told)),
        *(f"? {question}" for question in _supported(open_questions, everything)),
    ]
    return "\n".join(_within(lines, limit_tokens)) or None


def _facts(facts: Iterable[SaidFact], told: Mapping[int, str]) -> Iterator[str]:
    for fact in facts:
        if told.keys() >= set(fact.turns):
            yield from _supported([fact.text], [told[number] for number in fact.turns])


def _supported(sentences: Iterable[str], texts: Sequence[str]) -> Iterator[str]:
    """Yield sentences without links and marks, whose numbers were said."""
    for sentence in sentences:
        plain = without_foreign_links(cleaned(_SPACES.sub(" ", sentence)), texts)
        if plain and not unsupported_numbers(plain, texts):
            yield plain


def _within(lines: Iterable[str], limit_tokens: int) -> Iterator[str]:
    left = limit_tokens
    for line in lines:
        left -= estimated_tokens(line)
        if left < 0:
            return
        if line:
            yield line
