"""Sentences are cut where they end, and answer only what they hold."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.knowledge.extraction import (
    ANSWER_SHARE,
    AnswerVerdict,
    QuotablePassage,
    extract,
    question_terms,
)
from dossier.knowledge.rules.sentences import SENTENCE_CHARACTERS, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("pH is 5.5. It is stable.", ["pH is 5.5.", "It is stable."]),
        (
            "See e.g. Annex III. Max. 0.5 % w/w.",
            ["See e.g. Annex III.", "Max. 0.5 % w/w."],
        ),
        (
            "含甘油5.0%。保存三年！「真的？」是的",
            ["含甘油5.0%。", "保存三年！", "「真的？」", "是的"],
        ),
        (
            "Batch: 200 kg\nShelf life: 30 months",
            ["Batch: 200 kg", "Shelf life: 30 months"],
        ),
        (
            "The cream was kept in the dark at\nforty degrees and was good.",
            ["The cream was kept in the dark at\nforty degrees and was good."],
        ),
        ("1. Keep cool.\n2. Keep dry.", ["1. Keep cool.", "2. Keep dry."]),
        ("\n—\n", []),
    ],
)
def test_text_is_cut_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert [each.text for each in split_sentences(text)] == sentences


def test_each_row_of_a_table_is_a_sentence() -> None:
    table = "INCI | CAS | %\nGlycerin, pure. | 56-81-5 | 5.0"

    found = split_sentences(table, by_line=True)

    assert [each.text for each in found] == table.split("\n")


@given(st.text(alphabet="ab1.。 \n，!？-", max_size=200))
def test_every_sentence_is_at_its_offsets(text: str) -> None:
    found = split_sentences(text)

    assert all(text[each.start : each.end] == each.text for each in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    kept = sum(c.isalnum() for each in found for c in each.text)
    assert kept == sum(c.isalnum() for c in text)


def test_endless_sentence_is_cut_at_commas() -> None:
    found = split_sentences("甘油，" * 400)

    assert max(len(each.text) for each in found) <= SENTENCE_CHARACTERS
    assert all(each.text.endswith("，") for each in found)


STABILITY = QuotablePassage(
    "The cream was kept at 40 °C. The shelf life of the cream is 30 months."
)
LABEL = QuotablePassage(
    "玫瑰霜的保存期限為三十個月。請置於陰涼處。", context="玫瑰霜 標籤"
)


def ask(question: str, *passages: QuotablePassage) -> tuple[AnswerVerdict, list[str]]:
    found = extract(question, passages, {})
    return found.verdict, [each.sentence.text for each in found.picked]


def test_english_question_is_answered_by_its_sentence() -> None:
    verdict, sentences = ask("What is the shelf life of the cream?", STABILITY)

    assert verdict is AnswerVerdict.ANSWERED
    assert sentences[0] == "The shelf life of the cream is 30 months."


def test_chinese_question_is_answered_in_either_script() -> None:
    assert ask("玫瑰霜的保存期限是多久？", LABEL) == ask(
        "玫瑰霜的保存期限是多久？", LABEL
    )
    verdict, sentences = ask("玫瑰霜的保存期限为几个月?", LABEL)

    assert verdict is AnswerVerdict.ANSWERED
    assert sentences[0] == "玫瑰霜的保存期限為三十個月。"


def test_question_about_something_else_is_not_found() -> None:
    verdict, sentences = ask("Who audited the warehouse in Lyon?", STABILITY, LABEL)

    assert (verdict, sentences) == (AnswerVerdict.NOT_FOUND, [])


def test_nothing_to_read_is_not_found() -> None:
    assert ask("What is the shelf life?") == (AnswerVerdict.NOT_FOUND, [])


def test_draft_ranks_below_a_signed_document_that_answers_too() -> None:
    draft = QuotablePassage("The shelf life of the cream is 36 months.", is_draft=True)
    signed = QuotablePassage("The shelf life is 30 months.")

    _verdict, sentences = ask("What is the shelf life of the cream?", draft, signed)
    _verdict, alone = ask("What is the shelf life of the cream?", draft, LABEL)

    assert sentences[0] == signed.text
    assert alone == [draft.text]


def test_half_an_answer_is_named_closest() -> None:
    verdict, sentences = ask("shelf life of perfume bottles in Tokyo", STABILITY)

    assert verdict is AnswerVerdict.CLOSEST
    assert sentences


def test_rare_terms_weigh_more_than_common_ones() -> None:
    weights = {"cream": 0.1, "lyon": 9.0}

    found = extract("cream Lyon", [STABILITY], weights)

    assert found.share < ANSWER_SHARE


def test_missing_term_is_not_outweighed_by_the_others() -> None:
    other = QuotablePassage("The margin of safety of the preservative is 120.")
    weights = {"margin": 3.0, "safeti": 1.7, "retinol": 4.1}

    found = extract("What is the margin of safety of retinol?", [other], weights)

    assert found.verdict is AnswerVerdict.CLOSEST


def test_heading_that_repeats_the_question_is_no_answer() -> None:
    report = QuotablePassage(
        "Stability Test Report\n\nThe stability test ran for 12 weeks."
    )

    _verdict, sentences = ask("stability test report", report)

    assert sentences == ["The stability test ran for 12 weeks."]


def test_affirmative_sentence_is_an_answer() -> None:
    verdict, sentences = ask(
        "Is the cream free?", QuotablePassage("The cream is free.")
    )

    assert (verdict, sentences) == (AnswerVerdict.ANSWERED, ["The cream is free."])


def test_names_of_columns_are_no_answer_but_help_to_find_it() -> None:
    table = QuotablePassage("Test | Limit\nYeast | 100 CFU/g", is_table=True)

    verdict, sentences = ask("Which limit has yeast?", table)

    assert (verdict, sentences) == (AnswerVerdict.ANSWERED, ["Yeast | 100 CFU/g"])


MATERIALS = QuotablePassage(
    "material\tCAS\tsupplier\tlead time days\tprice 2026\n"
    "Niacinamide\t98-92-0\tVita Chem\t28\t21.00\n"
    "Squalane\t111-01-3\tOleos SARL\t21\t38.50\n"
    "Glycerin\t56-81-5\tPalm Works\t14\t1.20",
    context="materials",
    is_table=True,
)
AUDIT = QuotablePassage(
    "Lead auditor: Jane Lin\nThe supplier was audited at the time of delivery."
)
IDF = {"lead": 0.7, "time": 0.7, "niacinamid": 1.2, "cas": 0.7, "suppli": 2.3}


@pytest.mark.parametrize(
    ("question", "row", "shown"),
    [
        (
            "Who supplies CAS 111-01-3?",
            "Squalane\t111-01-3\tOleos SARL\t21\t38.50",
            (
                "material: Squalane; CAS: 111-01-3; supplier: Oleos SARL; "
                "lead time days: 21; price 2026: 38.50"
            ),
        ),
        (
            "What is the lead time of niacinamide?",
            "Niacinamide\t98-92-0\tVita Chem\t28\t21.00",
            (
                "material: Niacinamide; CAS: 98-92-0; supplier: Vita Chem; "
                "lead time days: 28; price 2026: 21.00"
            ),
        ),
    ],
)
def test_row_is_found_by_the_names_of_its_columns(
    question: str, row: str, shown: str
) -> None:
    found = extract(question, [AUDIT, MATERIALS], {**IDF, "111-01-3": 1.2})

    assert found.verdict is AnswerVerdict.ANSWERED
    assert [(one.sentence.text, one.shown) for one in found.picked] == [(row, shown)]


def test_columns_alone_do_not_answer_for_what_no_row_holds() -> None:
    found = extract("What is the lead time of retinol?", [MATERIALS], IDF)

    assert found.verdict is not AnswerVerdict.ANSWERED


def test_row_with_an_empty_cell_is_shown_with_the_names_of_all_columns() -> None:
    table = QuotablePassage(
        "INCI\tCAS\t%\nGlycerin\t5.0\nAqua\t7732-18-5\t80", is_table=True
    )

    found = extract("What % is glycerin?", [table], {})

    assert [one.shown for one in found.picked] == ["Glycerin\t5.0 (INCI | CAS | %)"]


def test_row_with_an_empty_cell_in_its_place_is_shown_without_it() -> None:
    table = QuotablePassage(
        "INCI\tCAS\tContent (%)\nGlycerin\t\t5.0\nAqua\t7732-18-5\t80", is_table=True
    )

    found = extract("What content has glycerin?", [table], {})

    assert [one.shown for one in found.picked] == ["INCI: Glycerin; Content (%): 5.0"]


def test_title_above_what_it_names_is_no_answer() -> None:
    passage = QuotablePassage(
        "Supplier declaration of lavender oil\nSupplier: Oleos SARL\n"
        "The lavender oil is pure."
    )

    _verdict, sentences = ask("Is there a supplier declaration of lavender?", passage)

    assert "Supplier declaration of lavender oil" not in sentences


def test_line_of_a_form_is_an_answer() -> None:
    passage = QuotablePassage("Appearance White cream\nOdour Floral\nColour White")

    _verdict, sentences = ask("What is the appearance?", passage)

    assert sentences == ["Appearance White cream"]


def test_title_alone_adds_no_second_sentence() -> None:
    passage = QuotablePassage(
        "The limits of yeast are met. 21 Garden Road.", context="limits"
    )

    _verdict, sentences = ask("What are the limits of yeast?", passage)

    assert sentences == ["The limits of yeast are met."]


def test_interrogatives_are_no_terms_of_the_question() -> None:
    assert question_terms("What is the pH?") == question_terms("pH")
    assert question_terms("什麼") != frozenset()


def test_how_long_is_no_term_of_the_question() -> None:
    passage = QuotablePassage("The shelf life is 36 months unopened.")
    few_documents = {"shelf": 0.29, "life": 0.29, "long": 1.39}

    found = extract("How long is the shelf life?", [passage], few_documents)

    assert found.verdict is AnswerVerdict.ANSWERED
    assert [each.sentence.text for each in found.picked] == [passage.text]


@pytest.mark.parametrize(
    ("question", "passage", "only_name"),
    [
        (
            "What is the pH of the rose cream?",
            "Limits: pH 5.0 to 6.0.",
            "Rose cream, formula sheet, version 4, confidential",
        ),
        (
            "玫瑰霜的黏度是多少？",
            "黏度35000至50000 mPa·s。",
            "玫瑰霜配方表第四版，機密文件",
        ),
    ],
)
def test_sentence_that_only_names_the_product_is_no_answer_about_it(
    question: str, passage: str, only_name: str
) -> None:
    verdict, sentences = ask(
        question, QuotablePassage(only_name), QuotablePassage(passage)
    )
    alone, _sentences = ask(question, QuotablePassage(only_name))

    assert verdict is AnswerVerdict.CLOSEST
    assert passage in sentences
    assert alone is not AnswerVerdict.ANSWERED


def test_names_of_columns_without_a_row_are_no_answer() -> None:
    table = QuotablePassage(
        "Condition\tTime\tpH (25 °C)\tViscosity\tOdour", is_table=True
    )

    assert ask("What is the viscosity?", table) == (AnswerVerdict.NOT_FOUND, [])


def test_row_of_a_table_within_a_text_is_shown_with_the_names_of_its_columns() -> None:
    text = "Results of the test.\nTime\tViscosity\n3 months\t42 000\nAll passed."

    found = extract("What is the viscosity?", [QuotablePassage(text)], {})

    [row] = found.picked
    assert row.shown == "Time: 3 months; Viscosity: 42 000"
    assert text[row.sentence.start : row.sentence.end] == "3 months\t42 000"
