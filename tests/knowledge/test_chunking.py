"""Cutting texts into passages."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dossier.knowledge.constants import ChunkKind
from dossier.knowledge.rules.chunking import (
    MAX_SIZE,
    Part,
    Passage,
    passages_of,
    size_of,
)

TEXTS = st.text(st.sampled_from("a0 \n\t.。,#一、第章()安全評估Ωé\u3000"), max_size=200)
LONG = st.builds(lambda text, times: text * times, TEXTS, st.integers(1, 60))


def cut(*texts: str) -> list[Passage]:
    parts = [Part(n, f"page {n}", text) for n, text in enumerate(texts, 1)]
    return list(passages_of(parts))


def own(passage: Passage) -> list[tuple[int, int]]:
    return [(p.start, p.end) for p in passage.pieces if not p.is_repeated]


@given(st.lists(LONG, max_size=3))
def test_each_visible_character_is_in_one_passage_in_order(texts: list[str]) -> None:
    passages = cut(*texts)

    for number, text in enumerate(texts, 1):
        spans = [s for p in passages if p.part.position == number for s in own(p)]
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
        covered = "".join(text[start:end] for start, end in spans)
        assert "".join(covered.split()) == "".join(text.split())
    assert [p.part.position for p in passages] == sorted(
        p.part.position for p in passages
    )


@given(LONG)
def test_a_passage_is_its_pieces_verbatim(text: str) -> None:
    for passage in cut(text):
        places = passage.places()
        pieces = [text[place["start"] : place["end"]] for place in places]
        assert passage.text == "\n".join(pieces)
        assert all(piece and piece == piece.strip() for piece in pieces)


@given(LONG)
def test_prose_passage_has_at_most_the_maximum_size(text: str) -> None:
    for passage in cut(text.replace("\t", " ")):
        assert sum(size_of(text[a:b]) for a, b in own(passage)) <= MAX_SIZE


def test_a_paragraph_that_fits_stays_whole() -> None:
    first, second = "安全評估" * 120, "微生物限度" * 120

    passages = cut(f"{first}\n\n{second}")

    assert [each.text for each in passages] == [first, second]


def test_a_long_paragraph_is_cut_behind_sentences() -> None:
    sentence = "本產品之安定性試驗於四十度下進行三個月。"

    passages = cut(sentence * 100)

    assert len(passages) > 1
    assert all(each.text.endswith("。") for each in passages)


def test_rows_stay_whole_and_carry_their_header() -> None:
    header = "INCI name\tCAS number\tPercent"
    rows = [f"Ingredient {n}\t56-81-5\t{n}.5" for n in range(200)]

    passages = cut("\n".join([header, *rows]))

    assert len(passages) > 1
    assert all(each.kind is ChunkKind.TABLE for each in passages)
    assert all(each.text.startswith(header + "\n") for each in passages)
    shown = [row for each in passages for row in each.text.split("\n")[1:]]
    assert shown == rows
    assert [p.pieces[0].is_repeated for p in passages] == [False] + [True] * (
        len(passages) - 1
    )


def test_a_row_of_numbers_is_no_header() -> None:
    rows = [f"{n}\t{n * 2}" for n in range(2_000)]

    passages = cut("\n".join(rows))

    assert [r for each in passages for r in each.text.split("\n")] == rows


def test_passage_has_the_headings_above_it() -> None:
    body = "The sample kept its colour and odour. " * 20

    passages = cut(
        f"1. Stability\n{body}\n1.1 Results at 40 degrees\n{body}\n2. Microbes\n{body}",
        body,
    )

    assert [each.headings for each in passages] == [
        ("1. Stability",),
        ("1. Stability", "1.1 Results at 40 degrees"),
        ("2. Microbes",),
        ("2. Microbes",),
    ]


def test_english_passages_hold_more_characters_than_chinese_ones() -> None:
    english = cut("These are some plain words. " * 400)
    chinese = cut("安" * 2_000)

    assert 1_200 < len(english[0].text) <= 1_400
    assert len(chinese[0].text) == 800


def test_table_row_that_is_too_long_is_cut_at_a_tab_or_at_a_length() -> None:
    cells = "\t".join(["polyglyceryl"] * 400)
    solid = "x" * 9_000
    text = f"name\tgrade\n{cells}\n{solid}\tend\n"

    passages = cut(text)

    pieces = [text[start:end] for p in passages for start, end in own(p)]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    whole = [piece for piece in pieces if piece.startswith("polyglyceryl")]
    assert len(whole) > 1
    assert all(piece.endswith("polyglyceryl") for piece in whole)


def test_blank_middle_of_a_table_row_makes_no_piece() -> None:
    text = "name\tgrade\nfirst" + "\t" * 9_000 + "last\n"

    pieces = [text[start:end] for p in cut(text) for start, end in own(p)]

    assert pieces[-2:] == ["first", "last"]
