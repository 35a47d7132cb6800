"""Words that say nothing of a text's subject; part of the analyser's version."""

from typing import Final

_ENGLISH: Final = (
    "a an and are as at be been but by can could d did do does for from had has have "
    "he her his how i if in into is it its ll m may of on or our re s shall she "
    "should so such t than that the their them then there these they this those to "
    "too ve was we were what when where which while who whom whose why will with "
    "would you your "
)

ENGLISH: Final = frozenset(_ENGLISH.split())

CHINESE: Final = frozenset("的了吗呢吧之")
"""Single characters alone; the pairs they stand in are kept."""

STOP_WORDS: Final = ENGLISH | CHINESE
