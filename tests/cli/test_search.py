"""`dossier search` searches one organisation, which must exist."""

from uuid import UUID

import pytest
from typer.testing import CliRunner

from dossier.accounts.constants import OrganisationKind
from dossier.accounts.exceptions import OrganisationNotFoundError
from dossier.accounts.service.organisations import OrganisationsService
from dossier.cli import app
from dossier.core.database import SessionFactory

NOBODY = UUID("018f0000-0000-7000-8000-0000000000ff")


def test_where_people_log_in_the_organisation_must_be_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOSSIER_AUTH__MODE", "password")

    result = CliRunner().invoke(app, ["search", "shelf life"])

    assert result.exit_code == 2
    assert "--org" in result.stderr


async def test_an_operator_acts_in_an_organisation_that_exists(
    sessions: SessionFactory,
) -> None:
    organisations = OrganisationsService(sessions)
    made = await organisations.create_organisation("Rose", OrganisationKind.BRAND)

    assert (await organisations.operator_of(made.id)).org_id == made.id
    with pytest.raises(OrganisationNotFoundError):
        await organisations.operator_of(NOBODY)
