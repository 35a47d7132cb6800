"""Reads numbered passages out of a prompt and answers from them, with quotes."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from dossier.testing.model_server.answering.tokens import is_cjk, telling_words, words

NOT_FOUND = "⟦none⟧"
"""What the prompt asks for where no passage answers."""
UNKNOWN_NUMBER = 97
_MOST = 3
_ENOUGH = 0.6
"""Share of the best sentence's score that a further one must reach."""
_LONGEST = 300
_TAG = re.compile(
    r"<(?P<tag>(?:passage|document|source)[\w-]*)\b[^>]*?"
    r"\b(?:n|number|id|index)\s*=\s*[\"']?(?P<number>\d+)[^>]*>"
    r"(?P<text>.*?)</(?P=tag)\s*>",
    re.DOTALL | re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"[^\n。\uff01\uff1f!?;\uff1b]+?(?:[。\uff01\uff1f!?;\uff1b]+|\.(?=\s|$)|(?=\n)|$)"
)
_MARKS = "⟦⟧"
_SHORTEST = 5
"""Letters of a sentence that can prove anything; Chinese counts double."""
_LABEL = re.compile(r"^\s*question\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of somebody's paper, under the number it is cited by."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """What can be quoted, and where from."""

    passage: int
    text: str


def passages(prompt: str) -> list[Passage]:
    """Return the numbered passages of a prompt, in their order."""
    return [
        Passage(int(found["number"]), found["text"].strip())
        for found in _TAG.finditer(prompt)
    ]


def without_passages(text: str) -> str:
    """Return what is said beside the passages."""
    return _LABEL.sub("", _TAG.sub("", text))


def claim(sentence: str, passage: int, quote: str) -> str:
    """Return one line of a grounded answer."""
    return f"{sentence.strip()} ⟦{passage}|{quote.strip()}⟧"


def best_sentences(question: str, given: Sequence[Passage]) -> list[Sentence]:
    """Return one to three sentences that share most with the question, or none."""
    sentences = list(_sentences(given))
    weights = _weights(sentences)
    asked = telling_words(question)
    scored = [
        (sum(weights[word] for word in asked & set(words(sentence.text))), place)
        for place, sentence in enumerate(sentences)
    ]
    scored.sort(key=lambda row: (-row[0], row[1]))
    best = scored[0][0] if scored else 0
    if best <= 0:
        return []
    kept = [place for score, place in scored[:_MOST] if score >= best * _ENOUGH]
    return [sentences[place] for place in kept]


def _sentences(given: Sequence[Passage]) -> Iterator[Sentence]:
    seen = set()
    for passage in given:
        for found in _SENTENCE.findall(passage.text):
            text = found.strip()[:_LONGEST]
            if text not in seen and _can_be_quoted(text):
                seen.add(text)
                yield Sentence(passage.number, text)


def _can_be_quoted(text: str) -> bool:
    weight = sum(1 + is_cjk(character) for character in text if character.isalnum())
    return weight >= _SHORTEST and not set(text) & set(_MARKS)


def _weights(sentences: Sequence[Sentence]) -> dict[str, float]:
    """Weigh a word by how few sentences hold it."""
    held = Counter(word for s in sentences for word in set(words(s.text)))
    everything = len(sentences)
    return {word: log(1 + everything / n) for word, n in held.items()}
