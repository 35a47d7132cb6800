"""How many tokens a text has, roughly: what budgets reserve before a call.

An estimate, not a count: each model family cuts text in its own way, and the tables
that tell would have to be downloaded. A CJK character is about one token, other text
about one for 3.5 characters. What a server says later always takes its place.
"""

import math
import re

_CHARACTERS_PER_TOKEN = 3.5
TOKENS_PER_MESSAGE = 4  # its role and the marks around it
# Radicals to unified ideographs with kana and bopomofo, Hangul, compatibility and
# full-width forms, and the supplementary planes: emoji and rare ideographs.
_WIDE = re.compile(
    "[\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f"
    "\uff00-\uffef\U0001f000-\U0003ffff]"
)


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, rounded up."""
    wide = len(_WIDE.findall(text))
    return wide + math.ceil((len(text) - wide) / _CHARACTERS_PER_TOKEN)
