"""Prompt-injection patterns: parts of a paper that are never quoted as an answer."""

import re
from collections.abc import Iterator
from typing import Final

from dossier.chat.rules.claims_links import PICTURE, without_foreign_links
from dossier.chat.rules.passages import MARKS, cleaned, with_invisible_between

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


def injections_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text holds calls of tools, pictures, marks of roles, or demands."""
    seen, offsets = with_invisible_between(text)
    for pattern in _PATTERNS:
        for found in pattern.finditer(seen):
            if not found.group().endswith((":", "\uff1a")):  # a label, as others are
                yield offsets[found.start()], offsets[found.end() - 1] + 1


def harmless(sentence: str, passage: str) -> str:
    """Return a sentence of a passage with nothing in it that acts when it is shown."""
    return without_foreign_links(cleaned(sentence), [cleaned(passage)])
