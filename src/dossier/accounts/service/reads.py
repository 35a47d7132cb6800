"""The hot reads of accounts: no objects are built between driver and client."""

from typing import Any

from dossier.accounts import gateway, rules
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Reads, members_of
from dossier.core.tenancy import Actor


class AccountReads:
    """The members of one organisation, as JSON members."""

    def __init__(self, reads: Reads, actor: Actor) -> None:
        self._reads = reads
        self._actor = actor

    async def list_users(self, page: PageParams) -> Slice[dict[str, Any]]:
        """Return the organisation's members, the newest first."""
        self._actor.require(*rules.MANAGES_USERS)
        rows, total = await gateway.list_member_rows_for_org(
            self._reads, self._actor.org_id, page
        )
        users = [members_of(row) for row in rows]
        for user in users:
            del user["total"]  # the list's, on each of its rows
        return Slice(users, total, page.limit, page.offset)
