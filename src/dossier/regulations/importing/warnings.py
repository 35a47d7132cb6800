"""Codes of the warnings and conditions of use that an entry demands on the label.

Only the code is kept, never the sentence of the source.
"""

import re
from typing import Final

from dossier.regulations.importing.cells import clean

_CODES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"\bcontains?\b|含", "contains_named"),
        (r"professional use only|技術", "professional_use_only"),
        (r"contact with (?:the )?eyes|rinse eyes|接觸眼睛", "avoid_eyes"),
        (
            r"keep out of (?:the )?reach of children|孩童接觸不到|孩童伸手不及",
            "out_of_reach",
        ),
        (r"suitable gloves", "wear_gloves"),
        (
            r"follow the instructions|read (?:the )?(?:directions|instructions)|詳閱",
            "read_instructions",
        ),
        (
            r"(?:not to be used|do not use) (?:for|on|in).{0,40}children|不得使用於.{0,3}歲",
            "not_for_children",
        ),
        (
            r"do not swallow|not to be swallowed|不得吞食|避免吞食|避免不當吞食",
            "do_not_swallow",
        ),
        (r"severe allergic|allergic reaction", "allergic_reaction"),
        (r"mixing ratio", "mixing_ratio"),
        (r"black henna", "henna_tattoo"),
        (r"dye eye?l(?:ea|a)shes", "not_on_eyelashes"),
        (r"blind|失明", "can_cause_blindness"),
        (r"skin contact|接觸皮膚", "avoid_skin"),
        (r"irritated|damaged skin|破損|傷口", "not_on_damaged_skin"),
        (r"nappy area|尿布", "not_on_nappy_area"),
        (r"aged? (?:of )?6|under 6|six years|六歲以下", "children_under_6_dose"),
        (r"frequent use by children|兒童頻繁使用", "no_frequent_use_by_children"),
        (r"powder away", "powder_away_from_nose"),
        (r"peroxide|rinse (?:hair|immediately)", "rinse_well"),
        (r"vitamin a", "vitamin_a"),
        (r"二歲以下", "under_2_ask_doctor"),
        (r"sunscreen|sun exposure|陽光", "sun_protection"),
    )
)


def warning_codes(text: str) -> tuple[str, ...]:
    """Return the codes of a cell; `see_entry` where no pattern knows its words."""
    flat = clean(text)
    if not flat or flat in {"-", "‐"}:
        return ()
    found = tuple(code for pattern, code in _CODES if pattern.search(flat))
    return found or ("see_entry",)
