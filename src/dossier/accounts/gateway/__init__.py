"""Every query of accounts; those on API keys are in a module of their own."""

from dossier.accounts.gateway.members import (
    add_local_owner,
    add_member,
    add_organisation,
    find_credentials_for_org,
    get_member_for_org,
    get_organisation_for_org,
    list_users_for_org,
    lock_member_for_org,
    lock_owners_for_org,
    mark_user_for_org,
    read_user_for_org,
)

__all__ = [
    "add_local_owner",
    "add_member",
    "add_organisation",
    "find_credentials_for_org",
    "get_member_for_org",
    "get_organisation_for_org",
    "list_users_for_org",
    "lock_member_for_org",
    "lock_owners_for_org",
    "mark_user_for_org",
    "read_user_for_org",
]
