"""The language of a document's prose, where it is neither Chinese nor English.

The file must be in Chinese or English, or come with a translation (PIF Regulation,
Art. 3(2)). Names, INCI and stamps in another language are no prose.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from dossier.documents.facts.types import Fact, FactState, PageText

PROSE_SHARE: Final = Decimal("0.3")
"""Least share of the letters, for scripts that no name or INCI is written in."""
BILINGUAL_SHARE: Final = Decimal("0.15")
"""So much Chinese beside it is a translation."""
FUNCTION_WORD_SHARE: Final = Decimal("0.15")
"""Least share of function words in prose; a text of all words has 0.25 to 0.4."""
MIN_FUNCTION_WORDS: Final = 12
_CONFIDENCE: Final = Decimal("0.9")
_RAW_CHARACTERS: Final = 80

_SCRIPTS: Final = {
    "CJK UNIFIED IDEOGRAPH": "zh",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CYRILLIC": "ru",
    "THAI": "th",
    "ARABIC": "ar",
    "LATIN": "latin",
}
_FUNCTION_WORDS: Final[Mapping[str, frozenset[str]]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the of and to is for with by this that are be was from it as",
        "fr": "le la les des du et est une dans pour par avec sur au aux ce",
        "de": "der die das und ist ein eine mit von zu den dem nicht wird für",
        "es": "el los las del y es una para por con se en que su al lo",
        "it": "il gli dei della e è una per con nel che di del le si al",
        "pt": "o os as do da dos e é uma para por com em não que ao",
        "nl": "het een en van is met voor niet de dat op zijn wordt aan te",
        "vi": "và của là các được cho trong không với này một những có đã",
        "id": "dan yang di untuk dengan ini dari pada adalah tidak dalam ke",
    }.items()
}
_WORD: Final = re.compile(r"[^\W\d_]+")


def foreign_language(pages: Sequence[PageText]) -> Fact | None:
    """Return the language of prose that is neither Chinese nor English, if it is clear.

    The value is a code of ISO 639-1; for the Cyrillic and Arabic scripts it is that of
    their commonest language.
    """
    text = "\n".join(page.text for page in pages)
    scripts = Counter(filter(None, map(_script_of, text)))
    letters = scripts.total()
    if not letters or Decimal(scripts["zh"]) / letters >= BILINGUAL_SHARE:
        # Japanese is written with the same ideographs.
        if not letters or Decimal(scripts["ja"]) / letters < BILINGUAL_SHARE:
            return None
        scripts["ja"] += scripts.pop("zh")
    words = Counter(_WORD.findall(text.casefold()))
    if _share(words, "en") >= FUNCTION_WORD_SHARE:
        return None
    own_scripts = {
        name: n for name, n in scripts.items() if name not in ("latin", "zh")
    }
    language = max(own_scripts, key=own_scripts.__getitem__, default=None)
    if language is None or Decimal(own_scripts[language]) / letters < PROSE_SHARE:
        language = max(
            (each for each in _FUNCTION_WORDS if each != "en"),
            key=lambda each: _share(words, each),
        )
        hits = sum(words[word] for word in _FUNCTION_WORDS[language])
        if hits < MIN_FUNCTION_WORDS or _share(words, language) < FUNCTION_WORD_SHARE:
            return None
    return _first_line(pages, language)


def _script_of(character: str) -> str | None:
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "")
    return next((value for key, value in _SCRIPTS.items() if name.startswith(key)), "?")


def _share(words: Counter[str], language: str) -> Decimal:
    """Return the share of a language's function words in the words of Latin letters."""
    latin = sum(n for word, n in words.items() if _script_of(word[0]) == "latin")
    hits = sum(words[word] for word in _FUNCTION_WORDS[language])
    return Decimal(hits) / latin if latin else Decimal(0)


def _first_line(pages: Sequence[PageText], language: str) -> Fact | None:
    """Return the language with the first line that is written in it."""
    for page in pages:
        for line in page.text.splitlines():
            words = _WORD.findall(line.casefold())
            if any(_script_of(word[0]) == language for word in words) or (
                language in _FUNCTION_WORDS
                and any(word in _FUNCTION_WORDS[language] for word in words)
            ):
                raw = line.strip()[:_RAW_CHARACTERS]
                return Fact(
                    language, raw, page.number, None, _CONFIDENCE, FactState.READ
                )
    return None
