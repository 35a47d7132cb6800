"""The excerpt of a passage is verbatim and short, and holds the question's words."""

from dossier.knowledge.rules.excerpt import Stretch, excerpt


def shown(text: str, *asked: str, by_line: bool = False, limit: int = 60) -> str:
    found = excerpt(
        text,
        [Stretch(0, len(text))],
        dict.fromkeys(asked, 1.0),
        lambda each: each.lower().replace(",", " ").replace(".", " ").split(),
        by_line=by_line,
        max_characters=limit,
    )
    return text[found.start : found.end]


def test_sentence_that_holds_the_word_is_shown() -> None:
    text = "The cream is pink. Its shelf life is 30 months. Keep it cool."

    assert shown(text, "shelf", limit=40) == "Its shelf life is 30 months."


def test_long_sentence_is_shown_by_its_clauses() -> None:
    text = (
        "The cream was stored in the dark for a long time at the laboratory in Lyon, "
        "the viscosity fell, and nobody remarked on the smell of the batch in the end"
    )

    assert shown(text, "viscosity", "fell") == "viscosity fell,"


def test_word_longer_than_the_limit_is_cut() -> None:
    text = "x" * 150

    assert shown(text, "y") == "x" * 60


def test_row_of_a_table_is_shown_as_a_line() -> None:
    text = "name\tgrade\nglycerin\t99 %\nsqualane\t98 %"

    assert shown(text, "squalane", by_line=True, limit=20) == "squalane\t98 %"


def test_text_without_words_or_pieces_has_its_beginning() -> None:
    assert shown("...") == "..."
    assert excerpt("", [], {}, str.split) == Stretch(0, 0)
