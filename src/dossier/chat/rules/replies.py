"""Fixed words of answers that no model writes, in the language of the question."""

import re
from collections.abc import Iterable
from typing import Final

EXTRACT_RULES: Final = "extract@2"
CLAIM_RULES: Final = "claims@1"
"""Versions of the rules that make, or check, an answer; any change needs a new one."""

_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_WORDS: Final = {
    "zh": {
        "not_found": "在您的文件中找不到答案。",
        "closest": "文件中沒有直接的答案。最接近的段落：",
        "not_ready": "以下文件尚未可供查詢：{names}。",
        "comma": "、",
    },
    "en": {
        "not_found": "This was not found in your documents.",
        "closest": "Your documents hold no direct answer. The closest passages:",
        "not_ready": "Not searchable yet: {names}.",
        "comma": ", ",
    },
}

REFUSALS: Final = tuple(words["not_found"] for words in _WORDS.values())
"""How an answer begins that found nothing, in every language."""


def language_of(text: str) -> str:
    """Return `zh` for a text with Chinese in it, else `en`."""
    return "zh" if _IDEOGRAPH.search(text) else "en"


def not_found(language: str) -> str:
    """Say that nothing supports an answer."""
    return _WORDS[language]["not_found"]


def closest(language: str) -> str:
    """Introduce passages that are near the question, and no answer."""
    return _WORDS[language]["closest"]


def not_ready(language: str, filenames: Iterable[str]) -> str:
    """Name the documents that could not be searched yet."""
    words = _WORDS[language]
    return words["not_ready"].format(names=words["comma"].join(filenames))
