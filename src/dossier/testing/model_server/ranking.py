"""Embeddings and reranking without weights, from the words that texts share."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from zlib import crc32

from dossier.integrations.llm.language_pairs import LANGUAGES, load_pairs
from dossier.testing.model_server.conversation import (
    JsonObject,
    UnreadableRequestError,
    integer,
)
from dossier.testing.model_server.tokens import content_words, is_cjk, words

_GRAM = 3


def embed(text: str, dimensions: int, *, english_only: bool = False) -> list[float]:
    """Return a vector of length one; texts that share words share its direction."""
    if english_only:
        text = "".join(" " if is_cjk(character) else character for character in text)
    vector = [0.0] * dimensions
    for feature, count in Counter(_features(text)).items():
        hashed = crc32(feature.encode())
        sign = 1 if hashed & 1 else -1
        vector[(hashed >> 1) % dimensions] += sign * (1 + math.log(count))
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0:  # no known word: all such texts have one vector
        return [1.0, *vector[1:]]
    return [value / length for value in vector]


@lru_cache(maxsize=8)
def meanings(
    alike: tuple[tuple[str, ...], ...], *, english_only: bool
) -> Mapping[str, str]:
    """Return the text that is embedded in place of another with the same meaning.

    Hashes know no synonyms, so the pairs that embedders are tested with are listed
    here; otherwise every test would find an embedder that knows no language.
    """
    known = LANGUAGES[:1] if english_only else LANGUAGES
    pairs = [pair for language in known for pair in load_pairs(language)]
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


def rerank(body: JsonObject) -> JsonObject:
    """Return the best documents first, as Jina and Cohere do."""
    query, documents = body.get("query"), body.get("documents")
    if not isinstance(query, str) or not isinstance(documents, list):
        message = "'query' and 'documents' are required."
        raise UnreadableRequestError(message)
    texts = [
        str(each.get("text", "")) if isinstance(each, dict) else str(each)
        for each in documents
    ]
    asked = content_words(query)
    scores: list[float] = []
    for text in texts:
        found = set(words(text))
        share = len(asked & found) / len(asked) if asked else 0.0
        # Slightly more for a shorter text.
        scores.append(round(share - min(len(found), 1000) * 1e-6, 6) if asked else 0.0)
    scored = sorted(enumerate(scores), key=lambda row: (-row[1], row[0]))
    kept = scored[: integer(body, "top_n", "top_k") or len(scored)]
    shown = body.get("return_documents", False)
    return {
        "id": "rerank-scripted",
        "model": body.get("model", ""),
        "results": [
            {"index": index, "relevance_score": score}
            | ({"document": {"text": texts[index]}} if shown else {})
            for index, score in kept
        ],
        "usage": {"total_tokens": sum(len(text) for text in texts) // 4},
    }
