"""The use cases of accounts: members, log-in, API keys, organisations."""

from dossier.accounts.service.api_keys import ApiKeysService
from dossier.accounts.service.directory import Directory
from dossier.accounts.service.key_sign_in import KeySignInService, KeyUses
from dossier.accounts.service.members import AccountsService, list_users, read_user
from dossier.accounts.service.organisations import LOCAL_OWNER, OrganisationsService
from dossier.accounts.service.sign_in import Origin, Principal, SignInService

__all__ = [
    "LOCAL_OWNER",
    "AccountsService",
    "ApiKeysService",
    "Directory",
    "KeySignInService",
    "KeyUses",
    "OrganisationsService",
    "Origin",
    "Principal",
    "SignInService",
    "list_users",
    "read_user",
]
