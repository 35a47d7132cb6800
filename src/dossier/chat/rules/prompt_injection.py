"""Prompt-injection patterns: marks and demands that are never quoted as an answer."""

import re
from collections.abc import Iterator
from typing import Final

from dossier.chat.rules.links import PICTURE, without_foreign_links
from dossier.core.visible import is_invisible, visible

MARKS = re.compile(
    r"<\|[^<>\n]{0,60}?\|>"
    r"|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_(?:turn|text)>|<(?:bos|eos|pad)>"
    r"|</?(?:system|assistant|user|human|developer|tools?|tool_(?:calls?|results?|use)"
    r"|function(?:_calls?|_results?)?|invoke|parameter|instructions?|passages?"
    r"|documents?)(?:[\s:_-][^<>]*)?>"
    r"|^[ \t]*(?:#{1,6}[ \t]*|\*\*)?(?:system|assistant|human|developer|系統|系统|助理"
    r"|助手)(?:[ \t]+(?:prompt|message|note))?(?:\*\*)?[ \t]*[:：]"
    r"|[⟦⟧]",
    re.IGNORECASE | re.MULTILINE,
)
"""Marks by which a model knows who speaks, or that a tool is to be called."""
_CALL: Final = re.compile(
    r"<(tools?|tool_(?:calls?|results?|use)|function(?:_calls?|_results?)?|invoke"
    r"|parameter|system|script|style|iframe)\b[^<>]*>.*?</\1\s*>",
    re.IGNORECASE | re.DOTALL,
)
"""With all that is between the opening and the closing mark."""
_ORDERS: Final = (
    r"instructions?|rules?|prompts?|context|directions?|guidelines?|polic(?:y|ies)"
)
_DEMAND: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.]{0,60}?"
    rf"\b(?:{_ORDERS})\b"
    r"|(?:忽略|無視|无视|忘記|忘记|不要理會|不要理会)[^。]{0,20}?"
    r"(?:指示|指令|規則|规则|提示|說明|说明)"
    r"|\b(?:fetch|click|load|render)\b[^.]{0,40}?[a-z][a-z0-9+.-]{1,15}://",
    re.IGNORECASE,
)
_PATTERNS: Final = (_CALL, PICTURE, MARKS, _DEMAND)


def cleaned(text: str) -> str:
    """Return a text without invisible characters and marks that speak to a model."""
    text = visible(text)
    while (cleaner := MARKS.sub("", text)) != text:  # removing may join a new one
        text = cleaner
    return text


def injections_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text holds calls of tools, pictures, marks of roles, or demands."""
    offsets = [at for at, each in enumerate(text) if not is_invisible(each)]
    seen = "".join(text[at] for at in offsets)
    for pattern in _PATTERNS:
        for found in pattern.finditer(seen):
            if not found.group().endswith((":", "\uff1a")):  # a label, as others are
                yield offsets[found.start()], offsets[found.end() - 1] + 1


def harmless(sentence: str, passage: str) -> str:
    """Return a sentence of a passage with nothing in it that acts when it is shown."""
    return without_foreign_links(cleaned(sentence), [cleaned(passage)])
