"""The language of a document's prose: foreign where it is clearly neither zh nor en."""

import pytest

from dossier.documents.facts.language import foreign_language
from dossier.documents.facts.types import PageText

KOREAN = """제품 규격서
본 제품은 화장품 안전기준에 따라 제조되었으며 모든 시험 항목에 적합하다.
보관 방법: 직사광선을 피하고 서늘한 곳에 보관한다.
시험 결과는 아래 표와 같다. Niacinamide 5.0 % pH 5.5
"""
FRENCH = """Spécification du produit fini
Le produit est conservé dans un endroit sec et à l'abri de la lumière. Les résultats
des essais sont conformes aux limites pour les germes et pour la viscosité. La
stabilité est suivie par le laboratoire avec des contrôles sur une durée de 30 mois.
"""
GERMAN = """Spezifikation des Produkts
Das Produkt wird in einem trockenen Raum gelagert und vor Licht geschützt. Die
Ergebnisse der Prüfungen entsprechen den Grenzwerten für die Keimzahl und die
Viskosität. Das Gebinde ist mit einem Etikett zu versehen und darf nicht
beschädigt sein. Die Haltbarkeit wird von dem Labor für ein Jahr bestätigt.
"""
JAPANESE = (
    "製品規格書\nこの製品は化粧品の基準に従って製造され、すべての試験に合格しました。\n"
)
ENGLISH = "The product is kept in a dry room. The results are within the limits. " * 3
CHINESE = "本產品依化粧品優良製造準則製造，試驗結果符合規格。請存放於陰涼處。" * 3
INCI = (
    "Aqua, Glycerin, Rosa Damascena Flower Oil, Parfum, Butyrospermum Parkii Butter\n"
)


def language_of(*texts: str) -> str | None:
    found = foreign_language(
        [PageText(number, text) for number, text in enumerate(texts, start=1)]
    )
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("text", "language"),
    [(KOREAN, "ko"), (FRENCH, "fr"), (GERMAN, "de"), (JAPANESE, "ja")],
)
def test_prose_in_another_language_is_named(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12.5\n2026-01-05\n",
        ENGLISH,
        CHINESE,
        INCI * 6,
        CHINESE + "\n대한화장품 주식회사 서울특별시",
        ENGLISH + "\nLaboratoire de la Rose, 12 rue des Fleurs, Grasse, France",
        KOREAN + CHINESE,
        KOREAN + ENGLISH * 2,
        FRENCH + ENGLISH * 3,
        "Crème de la Rose\nEau de la Mer\nSoin du Visage\n",
    ],
)
def test_chinese_english_translated_text_names_and_inci_are_not(text: str) -> None:
    assert language_of(text) is None


def test_place_is_the_first_line_of_that_language() -> None:
    found = foreign_language([PageText(1, "RC-0312\n"), PageText(2, KOREAN)])

    assert found is not None
    assert (found.page, found.raw) == (2, "제품 규격서")
