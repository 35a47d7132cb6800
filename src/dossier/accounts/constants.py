"""Closed vocabularies of accounts."""

from enum import StrEnum
from uuid import UUID


class OrganisationKind(StrEnum):
    """What an organisation is to the products it keeps."""

    BRAND = "brand"
    OEM = "oem"
    IMPORTER = "importer"
    CONSULTANT = "consultant"
    RESPONSIBLE_PERSON = "responsible_person"


class Role(StrEnum):
    """What a member may do; `docs/roles.md` has the matrix."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    ASSESSOR = "assessor"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What an API key may do of what its maker may."""

    READ = "read"
    """Ask: GET."""
    WRITE = "write"
    """Change: POST, PUT, PATCH, DELETE."""
    ADMIN = "admin"
    """Act as owner or admin, where the maker is one; else such a maker's key acts as
    an editor."""


RIGHTS_CHANNEL = "dossier_rights"
"""Notified at the commit of every change of a role, a state, a password or a key."""
INVITATION_TTL_DAYS = 7
MAX_LIVE_KEYS = 20
"""Keys of one member that are in force; from then on no more are made."""

# Fixed, so that two first requests at once still make one organisation.
LOCAL_ORG_ID = UUID("0190f000-0000-7000-8000-000000000001")
LOCAL_USER_ID = UUID("0190f000-0000-7000-8000-000000000002")
LOCAL_ORG_NAME = "Local"
LOCAL_USER_NAME = "Owner of this machine"
LOCAL_USER_EMAIL = "owner@localhost"
