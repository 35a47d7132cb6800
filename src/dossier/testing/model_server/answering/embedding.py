"""Embeddings by hashing: no weights, yet similar texts lie near each other."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from zlib import crc32

from dossier.integrations.llm.language_pairs import LANGUAGES, load_pairs
from dossier.testing.model_server.answering.tokens import is_cjk, words

_GRAM = 3


def embed(text: str, dimensions: int, *, english_only: bool = False) -> list[float]:
    """Return a vector of length one; texts that share words share its direction."""
    if english_only:
        text = "".join(" " if is_cjk(character) else character for character in text)
    vector = [0.0] * dimensions
    for feature, count in Counter(_features(text)).items():
        hashed = _hash(feature)
        sign = 1 if hashed & 1 else -1
        vector[(hashed >> 1) % dimensions] += sign * (1 + math.log(count))
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0:  # nothing it understands: all such texts are one to it
        return [1.0, *vector[1:]]
    return [value / length for value in vector]


@lru_cache(maxsize=8)
def meanings(
    alike: tuple[tuple[str, ...], ...], *, english_only: bool
) -> Mapping[str, str]:
    """Return what some texts mean, in other words: that is embedded in their place.

    Hashes know no synonyms; so the pairs that embedders are tried with are learnt by
    heart, or every trial would end with an embedder that knows no language.
    """
    learnt = LANGUAGES[:1] if english_only else LANGUAGES
    pairs = [pair for language in learnt for pair in load_pairs(language)]
    return {text: group[0] for group in (*pairs, *alike) for text in group}


def _features(text: str) -> Iterator[str]:
    for word in words(text):
        yield word
        if len(word) > _GRAM and not is_cjk(word[0]):
            marked = f"<{word}>"
            yield from (
                f"#{marked[start : start + _GRAM]}"
                for start in range(len(marked) - _GRAM + 1)
            )


@lru_cache(maxsize=65_536)
def _hash(feature: str) -> int:
    return crc32(feature.encode())
