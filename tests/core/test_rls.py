"""Every tenant table is under forced row-level security with the two policies."""

import pytest
from sqlalchemy import text

from dossier.core.database import Session
from dossier.core.models import Base, TenantOwned, load_models

load_models()
TENANT_TABLES = sorted(
    str(mapper.local_table.description)
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, TenantOwned)
)
BOUND = "(org_id = ( SELECT (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid AS \"nullif\"))"  # noqa: E501 - as PostgreSQL prints it
UPKEEP = {
    "knowledge_chunks": ("{dossier_owner}", "SELECT", "true", None),
    "knowledge_stats": ("{dossier_owner}", "ALL", "true", "true"),
    "knowledge_terms": ("{dossier_owner}", "ALL", "true", "true"),
}
"""Tables that functions of the owner keep exact; nobody serves as the owner."""


def test_there_are_tenant_tables() -> None:
    assert {"activity_events", "activity_seals"} <= set(TENANT_TABLES)


def test_every_table_with_an_organisation_is_tenant_owned() -> None:
    with_org = {
        table.name for table in Base.metadata.tables.values() if "org_id" in table.c
    }

    assert with_org == set(TENANT_TABLES)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_table_is_under_forced_row_level_security(
    session: Session, table: str
) -> None:
    row = (
        await session.execute(
            text(
                "select relrowsecurity, relforcerowsecurity from pg_class "
                "where oid = to_regclass(:table)"
            ),
            {"table": table},
        )
    ).one()

    assert tuple(row) == (True, True)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_table_has_exactly_the_two_policies(session: Session, table: str) -> None:
    rows = await session.execute(
        text(
            "select policyname, roles::text, cmd, qual, with_check "
            "from pg_policies where tablename = :table"
        ),
        {"table": table},
    )
    policies = {row.policyname: tuple(row)[1:] for row in rows}

    assert policies == {
        "tenant": ("{dossier_app}", "ALL", BOUND, BOUND),
        "system": ("{dossier_system}", "ALL", "true", "true"),
        **({"upkeep": UPKEEP[table]} if table in UPKEEP else {}),
    }


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_references_between_tenant_tables_carry_the_organisation(
    table: str,
) -> None:
    for key in Base.metadata.tables[table].foreign_key_constraints:
        referred = key.referred_table.name
        if referred in TENANT_TABLES:
            assert "org_id" in key.column_keys, f"{key.name} could cross tenants"
