"""A short question is searched together with the one before."""

from dossier.chat.rules.questions import question_before
from dossier.chat.types import Turn
from dossier.core.models import new_id

ASKED = Turn(new_id(), "user", "Mei", "What is the shelf life of the rose cream?")
ANSWERED = Turn(new_id(), "assistant", "Iris", "30 months.")


def test_short_question_goes_on_from_the_newest_one() -> None:
    older = Turn(new_id(), "user", "Mei", "What is the pH?")

    assert question_before("And unopened?", (older, ASKED, ANSWERED)) == ASKED.text
    assert question_before("開封後呢？", (ASKED,)) == ASKED.text


def test_long_question_stands_by_itself() -> None:
    question = "Which volunteers wore the patch for longer than two days?"

    assert question_before(question, (ASKED,)) is None


def test_first_question_goes_on_from_nothing() -> None:
    assert question_before("And unopened?", (ANSWERED,)) is None
