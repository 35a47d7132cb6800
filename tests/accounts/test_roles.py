"""The role matrix in the documentation is what the services ask for."""

import pytest

from dossier.accounts.rules import MATRIX
from dossier.activity.service import READERS
from dossier.documents.constants import UPLOAD_ROLES
from dossier.jobs.constants import JOB_ROLES
from dossier.pif.constants import DecisionKind
from dossier.pif.service.decisions import DECISION_ROLES
from dossier.pif.service.versions import VERSION_ROLES
from dossier.products.service.products import WRITERS
from dossier.reports.constants import REQUESTERS

ASKED = {
    "Change products, import formulas, link documents": WRITERS,
    "Upload documents": UPLOAD_ROLES,
    "Declare items 5 and 8": DECISION_ROLES[DecisionKind.DECLARATION],
    "Waive items 11 to 13": DECISION_ROLES[DecisionKind.WAIVER],
    "Freeze versions, ask for reports": VERSION_ROLES,
    "Cancel and retry jobs": JOB_ROLES,
    "Read and verify the activity log": READERS,
}


@pytest.mark.parametrize("what", ASKED)
def test_documented_role_is_the_one_that_is_asked_for(what: str) -> None:
    assert {role.value for role in MATRIX[what]} == set(ASKED[what])


def test_roles_that_freeze_versions_may_request_reports() -> None:
    assert set(VERSION_ROLES) == set(REQUESTERS)
