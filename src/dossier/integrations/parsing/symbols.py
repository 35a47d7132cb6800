# ruff: noqa: RUF001 - the characters are the data
"""Characters of the symbol fonts that office programs use, as Unicode.

In these fonts a letter shows something else: `m` in Symbol is µ, so that the text of a
"5 mm" in it reads "5 µm" on paper. Tables: the Adobe Symbol encoding; of Wingdings the
ticks, boxes, bullets and arrows.
"""

from typing import Final

UNKNOWN: Final = "\ufffd"
_PRIVATE_USE: Final = 0xF000
_LOW_FROM, _HIGH_FROM = 0x20, 0xA0
_SYMBOL_LOW: Final = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾"
    "αβχδεφγηιϕκλµνοπθρστυϖωξψζ{|}∼"
)
_SYMBOL_HIGH: Final = (
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑"
)
_SYMBOL: Final = {
    **dict(enumerate(_SYMBOL_LOW, _LOW_FROM)),
    **dict(enumerate(_SYMBOL_HIGH, _HIGH_FROM)),
}
_WINGDINGS: Final = {
    0x6C: "●",
    0x6E: "■",
    0x6F: "☐",
    0x71: "☐",
    0x72: "☐",
    0x78: "☒",
    0x9F: "•",
    0xA7: "▪",
    0xA8: "☐",
    0xD8: "➢",
    0xDF: "←",
    0xE0: "→",
    0xE8: "➔",
    0xFB: "✗",
    0xFC: "✓",
    0xFD: "☒",
    0xFE: "☑",
}
_WINGDINGS_2: Final = {
    0x4F: "✗",
    0x50: "✓",
    0x51: "☒",
    0x52: "☑",
    0x53: "☒",
    0x54: "☒",
    0xA3: "☐",
}
_FONTS: Final = {
    "symbol": _SYMBOL,
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
}


def is_symbol_font(font: str) -> bool:
    """Return whether the letters of a font are symbols."""
    return font.lower() in _FONTS or font.lower() in {"wingdings 3", "webdings"}


def shown(text: str, font: str) -> str:
    """Return what a text in a symbol font shows; unknown symbols are U+FFFD."""
    table = _FONTS.get(font.lower(), {})
    seen = ""
    for character in text:
        code = ord(character)
        if _PRIVATE_USE <= code <= _PRIVATE_USE + 0xFF:
            code -= _PRIVATE_USE
        seen += character if character.isspace() else table.get(code, UNKNOWN)
    return seen
