import re

import pytest

from dossier.core.patterns import pattern


def test_late_pattern_finds_what_the_compiled_one_finds() -> None:
    source, text = r"(\d+) ?MG", "10 mg, 20mg"
    late, compiled = pattern(source, re.IGNORECASE), re.compile(source, re.IGNORECASE)

    for _ in range(2):  # the second time from memory
        assert late.findall(text) == compiled.findall(text)
        assert late.sub("x", text) == compiled.sub("x", text)
    assert late.pattern == source


def test_wrong_pattern_is_told_when_it_is_used() -> None:
    late = pattern("(")

    with pytest.raises(re.error):
        late.search("(")
