"""Fixed words of answers that no model writes, in the language of the question."""

import re
from collections.abc import Iterable
from typing import Final

EXTRACT_RULES: Final = "extract@8"
CLAIM_RULES: Final = "claims@7"
PLAIN_RULES: Final = "plain@3"
"""Versions of the rules that make, or check, an answer; any change needs a new one."""

_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_WORDS: Final = {
    "zh": {
        "not_found": "在您的文件中找不到答案。",
        "closest": "文件中沒有直接的答案。最接近的段落：",
        "not_yet": "以下文件尚未可供查詢：{names}。",
        "unreadable": "以下文件無法讀取：{names}。",
        "read_partly": "以下文件部分讀取：{names}。",
        "drafts": "以下文件為草稿或未簽署：{names}。",
        "comma": "、",
    },
    "zh-Hans": {
        "not_found": "在您的文件中找不到答案。",
        "closest": "文件中没有直接的答案。最接近的段落：",
        "not_yet": "以下文件尚未可供查询：{names}。",
        "unreadable": "以下文件无法读取：{names}。",
        "read_partly": "以下文件部分读取：{names}。",
        "drafts": "以下文件为草稿或未签署：{names}。",
        "comma": "、",
    },
    "en": {
        "not_found": "This was not found in your documents.",
        "closest": "Your documents hold no direct answer. The closest passages:",
        "not_yet": "Not searchable yet: {names}.",
        "unreadable": "Cannot be read: {names}.",
        "read_partly": "Read partly: {names}.",
        "drafts": "A draft, or unsigned: {names}.",
        "comma": ", ",
    },
}

REFUSALS: Final = tuple(words["not_found"] for words in _WORDS.values())
"""How an answer begins that found nothing, in every language."""


def language_of(text: str) -> str:
    """Return `zh` for a text with Chinese in it, else `en`; `zh-Hans` is Simplified."""
    if not _IDEOGRAPH.search(text):
        return "en"
    simplified = sum(_is_only_in(each, "gb2312", "big5") for each in text)
    traditional = sum(_is_only_in(each, "big5", "gb2312") for each in text)
    return "zh-Hans" if simplified > traditional else "zh"


def _is_only_in(character: str, charset: str, other: str) -> bool:
    """Say whether a character is written in one of the scripts alone.

    The old character sets hold one script each: most characters stand in both.
    """
    return bool(_IDEOGRAPH.match(character)) and (
        _has(charset, character) and not _has(other, character)
    )


def _has(charset: str, character: str) -> bool:
    return bool(character.encode(charset, "ignore"))


def not_found(language: str) -> str:
    """Say that nothing supports an answer."""
    return _WORDS[language]["not_found"]


def closest(language: str) -> str:
    """Introduce passages that are near the question, and no answer."""
    return _WORDS[language]["closest"]


def drafts(language: str, filenames: Iterable[str]) -> str:
    """Name quoted documents that are drafts or unsigned."""
    words = _WORDS[language]
    return words["drafts"].format(names=words["comma"].join(filenames))


def not_ready(language: str, states: Iterable[tuple[str, str]]) -> list[str]:
    """Name documents that were not searched, or not whole, a line for each reason.

    `states` are filenames with their states; `reading` and `indexing` are "not yet".
    """
    words = _WORDS[language]
    named: dict[str, list[str]] = {"not_yet": [], "unreadable": [], "read_partly": []}
    for filename, state in states:
        named[state if state in named else "not_yet"].append(filename)
    return [
        words[reason].format(names=words["comma"].join(filenames))
        for reason, filenames in named.items()
        if filenames
    ]
