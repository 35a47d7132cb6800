"""The role matrix in the documentation is what the services ask for."""

import pytest

from dossier.accounts.rules import MATRIX
from dossier.activity.service import READERS
from dossier.documents.constants import CHANGERS as UPLOADERS
from dossier.jobs.constants import CHANGERS as JOB_CHANGERS
from dossier.pif.constants import DecisionKind
from dossier.pif.service.pif import DECIDERS, MAKERS
from dossier.products.service.product import WRITERS
from dossier.reports.constants import REQUESTERS

ASKED = {
    "Change products, import formulas, link documents": WRITERS,
    "Upload documents": UPLOADERS,
    "Declare items 5 and 8": DECIDERS[DecisionKind.DECLARATION],
    "Waive items 11 to 13": DECIDERS[DecisionKind.WAIVER],
    "Freeze versions, ask for reports": MAKERS,
    "Cancel and retry jobs": JOB_CHANGERS,
    "Read and verify the activity log": READERS,
}


@pytest.mark.parametrize("what", ASKED)
def test_documented_role_is_the_one_that_is_asked_for(what: str) -> None:
    assert {role.value for role in MATRIX[what]} == set(ASKED[what])


def test_whoever_freezes_a_version_may_have_it_printed() -> None:
    assert set(MAKERS) == set(REQUESTERS)
