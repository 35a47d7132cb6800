"""Which parts of a model's summary are kept: those that the turns support."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from dossier.chat.rules.links import without_foreign_links
from dossier.chat.rules.messages import estimated_tokens
from dossier.chat.rules.numbers import unsupported_numbers
from dossier.chat.rules.prompt_injection import cleaned

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_SPACES: Final = re.compile(r"\s+")


def summary_text(
    summary: str,
    facts: Iterable[tuple[str, Sequence[int]]],
    open_questions: Iterable[str],
    turns: Mapping[int, str],
    limit_tokens: int,
) -> str | None:
    """Return a summary as it is kept; `None` where nothing of it holds.

    `turns` are the texts that the model was given, by their numbers; each fact comes
    with the numbers of its turns. A fact that names a turn which is not there, or a
    number that its turns do not contain, is left out.
    """
    everything = list(turns.values())
    sentences = _SENTENCE_END.split(summary)
    lines = [
        " ".join(_supported(sentences, everything)),
        *(
            f"- {fact}"
            for text, numbers in facts
            if turns.keys() >= set(numbers)
            for fact in _supported([text], [turns[number] for number in numbers])
        ),
        *(f"? {question}" for question in _supported(open_questions, everything)),
    ]
    kept: list[str] = []
    left = limit_tokens
    for line in lines:
        left -= estimated_tokens(line)
        if left < 0:
            break
        if line:
            kept.append(line)
    return "\n".join(kept) or None


def _supported(sentences: Iterable[str], texts: Sequence[str]) -> Iterator[str]:
    """Yield sentences without links and marks, whose numbers stand in the texts."""
    for sentence in sentences:
        plain = without_foreign_links(cleaned(_SPACES.sub(" ", sentence)), texts)
        if plain and not unsupported_numbers(plain, texts):
            yield plain
