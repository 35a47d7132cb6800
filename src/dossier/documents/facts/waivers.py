"""Reasons that a safety assessment gives for tests that were not made.

Stability, microbial and preservative tests need not be made where the signatory gives
the reason in item 16 (PIF Regulation, Art. 3(1)11 to 13). A reason counts where one
sentence names the test, says that it is not needed, and says why.
"""

import re
from collections.abc import Iterator
from typing import Final

from dossier.documents.facts.folding import fold
from dossier.documents.facts.values import Value

LONGEST_SENTENCE: Final = 400

_TESTS: Final = {
    "challenge": fold(
        r"防腐(?:效能|挑戰)|挑戰性?試驗|(?:microbial |preservative )?challenge"
        r"|preservative (?:efficacy|effectiveness)|preservation efficacy"
    ),
    "microbial": fold(r"微生物(?!挑戰)|microb(?:ial|iolog\w+)(?! challenge)"),
    "stability": fold(r"安定性|穩定性|(?<![a-z])stability"),
}
_TEST: Final = re.compile("|".join(f"(?P<{k}>{p})" for k, p in _TESTS.items()))
_JOINED: Final = re.compile(
    fold(
        r"^[\s、,]*(?:試驗|測試|檢測|檢驗|限量|報告|tests?|testing|limits?|stud(?:y|ies)"
        r"|[\s、,])*(?:及|與|和|或|暨|and|or|nor|/)?[\s、,]*(?:the |a )?$"
    )
)
_NOT_NEEDED: Final = re.compile(
    fold(
        r"(?<!不)(?<!不得)(?:免附|免予|免除|免做|免執行|得免|可免)|無需|毋需|無須|毋須|不須|不需|不必"
        r"|(?<!not )(?:waived|exempt(?:ed)?|omitted)|unnecessary|need not|no need"
        r"|not (?:be )?(?:required|necessary|needed|performed|conducted|carried out)"
    )
)
_LEADING: Final = re.compile(
    fold(r"(?:做|進行|執行|提供|檢附|附|之|for|to|perform|conduct|an?|the|\s)*")
)
"""What stands between such words and the test that they speak of."""

_REASON: Final = re.compile(
    fold(
        r"因|由於|(?<!事)故(?!障)|爰|屬低|屬於|鑑於|鑒於|考量|基於|理由"
        r"|(?<![a-z])(?:because|since|as the|as it"
        r"|due to|owing to|in view of|given that|reasons?)(?![a-z])"
    )
)
_SENTENCE: Final = re.compile(
    r"[^。；;!?]+?(?:[。；;!?]|\.(?=\s|$)|$|\n\s*\n)", re.DOTALL
)


def waiver_reasons(text: str) -> list[Value]:
    """Return the kinds of tests that are not needed, each with the sentence."""
    return [
        Value(kind, raw)
        for match in _SENTENCE.finditer(text)
        if len(raw := match[0].strip()) <= LONGEST_SENTENCE
        for kind in _not_needed(fold(raw).replace("\n", " "))
    ]


def _not_needed(sentence: str) -> Iterator[str]:
    """Yield the tests that a sentence says are not needed, if it says why."""
    if not _REASON.search(sentence):
        return
    groups: list[list[re.Match[str]]] = []
    for match in _TEST.finditer(sentence):
        between = sentence[groups[-1][-1].end() : match.start()] if groups else "-"
        if groups and _JOINED.match(between):
            groups[-1].append(match)
        else:
            groups.append([match])
    leads = False
    for number, group in enumerate(groups):
        is_last = number + 1 == len(groups)
        end = len(sentence) if is_last else groups[number + 1][0].start()
        after = sentence[group[-1].end() : end]
        before = sentence[: group[0].start()] if number == 0 else ""
        found = list(_NOT_NEEDED.finditer(after))
        is_before = leads or _NOT_NEEDED.search(before[-30:])
        # "免附防腐效能試驗" speaks of the test that follows, not of words before it.
        leads = bool(
            found and not is_last and _LEADING.fullmatch(after, found[-1].end())
        )
        if len(found) > leads or is_before:
            yield from (str(match.lastgroup) for match in group)
