"""Every query on decisions and versions of the file."""

from dossier.pif.gateway.board import read_board_for_org as read_board_for_org
from dossier.pif.gateway.decision import add_decision as add_decision
from dossier.pif.gateway.decision import (
    delete_decision_for_org as delete_decision_for_org,
)
from dossier.pif.gateway.decision import get_decision_for_org as get_decision_for_org
from dossier.pif.gateway.version import add_version as add_version
from dossier.pif.gateway.version import (
    find_version_by_content_for_org as find_version_by_content_for_org,
)
from dossier.pif.gateway.version import (
    get_version_by_id_for_org as get_version_by_id_for_org,
)
from dossier.pif.gateway.version import get_version_for_org as get_version_for_org
from dossier.pif.gateway.version import last_number_for_org as last_number_for_org
from dossier.pif.gateway.version import list_versions_for_org as list_versions_for_org
