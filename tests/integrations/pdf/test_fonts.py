"""Which font is chosen, and which characters it can show."""

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.integrations.pdf.child import render_request
from dossier.integrations.pdf.exceptions import NoCjkFontError
from dossier.integrations.pdf.fonts import (
    PROJECT_FONTS,
    covered_characters,
    find_font,
    showable,
    taiwanese_first,
)


def _font_file(folder: Path, subtable: bytes, *, in_collection: bool = False) -> Path:
    """Write the least that has a `cmap` table."""
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + subtable
    prefix = struct.pack(">4sIII", b"ttcf", 0x10000, 1, 16) if in_collection else b""
    at = len(prefix)
    header = struct.pack(">IHHHH", 0x10000, 1, 0, 0, 0)
    record = struct.pack(">4sIII", b"cmap", 0, at + 28, len(cmap))
    target = folder / "some.ttf"
    target.write_bytes(prefix + header + record + cmap)
    return target


def _segments(*segments: tuple[int, int, int]) -> bytes:
    rows = [*segments, (0xFFFF, 0xFFFF, 1)]
    starts, ends, deltas = zip(*rows, strict=True)
    count = len(rows)
    shape = f">{count}H"
    return b"".join(
        (
            struct.pack(">HHHHHHH", 4, 16 + 8 * count, 0, 2 * count, 0, 0, 0),
            struct.pack(shape, *ends),
            b"\0\0",
            struct.pack(shape, *starts),
            struct.pack(shape, *deltas),
            struct.pack(shape, *([0] * count)),
        )
    )


def test_the_font_of_the_project_is_found() -> None:
    font = find_font(None, with_system=False)

    assert font.source == "project"
    assert font.family == "Noto Sans SC"
    assert PROJECT_FONTS in font.file.parents
    assert len(font.sha256()) == 64


def test_a_folder_by_setting_comes_before_all_others() -> None:
    font = find_font(PROJECT_FONTS / "zhplot" / "fonts")

    assert font.source == "setting"


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_folder_by_setting_without_a_font_is_an_error(
    folder: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(NoCjkFontError, match="DOSSIER_REPORTS__FONT_DIR"):
        find_font(tmp_path / folder)


def test_missing_font_names_the_repair(tmp_path: Path) -> None:
    with pytest.raises(NoCjkFontError, match="fonts-noto-cjk, or run `make install`"):
        find_font(None, tmp_path, with_system=False)


@pytest.mark.parametrize("content", [b"", b"not a font", b"\0\1\0\0\xff\xff" * 9])
def test_file_that_is_not_a_font_is_refused_by_name(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "broken.ttf").write_bytes(content)

    with pytest.raises(NoCjkFontError, match=r"broken\.ttf"):
        covered_characters(tmp_path / "broken.ttf")


@pytest.mark.parametrize("in_collection", [False, True])
def test_segments_of_a_font_are_read(in_collection: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test
    # A delta that leads to glyph 0 means "missing", here for U+0043.
    table = _segments((0x41, 0x42, 3), (0x43, 0x43, 0x10000 - 0x43))
    file = _font_file(tmp_path, table, in_collection=in_collection)

    assert covered_characters(file) == {0x41, 0x42}


def test_groups_of_a_font_are_read_beyond_sixteen_bits(tmp_path: Path) -> None:
    groups = struct.pack(">6I", 0x41, 0x43, 0, 0x20000, 0x20001, 9)
    table = struct.pack(">HHIII", 12, 0, 40, 0, 2) + groups
    file = _font_file(tmp_path, table)

    assert covered_characters(file) == {0x42, 0x43, 0x20000, 0x20001}


@settings(max_examples=40)
@given(st.text())
def test_showable_text_holds_only_covered_characters(text: str) -> None:
    covered = frozenset(map(ord, "[]U+0123456789ABCDEF abc玫瑰"))

    shown = showable({"a": [text]}, covered)["a"][0]

    assert {ord(character) for character in shown} <= covered | {0x0A}


def test_numbers_and_null_are_not_changed() -> None:
    value = {"a": [1, None, True, {"b": "甲"}]}

    assert showable(value, frozenset([ord("甲")])) == value


def test_typesetter_accepts_every_covered_character(tmp_path: Path) -> None:
    font = find_font(None, with_system=False)
    chance = random.Random(7)  # noqa: S311 - a sample, the same each time
    sample = [chr(chance.randrange(0x20, 0xD800)) for _ in range(1500)]
    sample += [chr(chance.randrange(0xE000, 0x30000)) for _ in range(500)]
    (tmp_path / "t.typ").write_text(
        "#set text(font: sys.inputs.family, fallback: false, size: 6pt)\n"
        "#for part in json(bytes(sys.inputs.data)) [#part ]"
    )

    pages = render_request(
        {
            "template": str(tmp_path / "t.typ"),
            "inputs": {"data": sample},
            "font": {"file": str(font.file), "index": font.index},
            "family": font.family,
            "timestamp_s": 0,
            "identifier": "urn:x",
            "creator_tool": "Dossier",
            "target": str(tmp_path / "t.pdf"),
        }
    )

    assert pages >= 1


def test_taiwanese_fonts_are_preferred() -> None:
    families = ["Noto Sans CJK HK", "Noto Sans CJK JP", "Noto Sans CJK TC", "Arial"]

    ranked = sorted(families, key=taiwanese_first)

    assert ranked == [
        "Noto Sans CJK TC",
        "Noto Sans CJK HK",
        "Arial",
        "Noto Sans CJK JP",
    ]
