"""Row-level security of a tenant table, in the migration that makes the table."""

from typing import Any

TENANT = "(select nullif(current_setting('app.org_id', true), '')::uuid)"


def tenant_table(op: Any, table: str, *, append_only: bool = False) -> None:
    """Force row-level security and grant what the two roles may do.

    `append_only` grants insert and select alone: nobody but the owner can change
    what was written.
    """
    rights = "select, insert" if append_only else "select, insert, update, delete"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} to dossier_app "
        f"using (org_id = {TENANT}) with check (org_id = {TENANT})"
    )
    op.execute(
        f"create policy system on {table} to dossier_system "
        "using (true) with check (true)"
    )
    op.execute(f"grant {rights} on {table} to dossier_app, dossier_system")


def drop_tenant_table(op: Any, table: str) -> None:
    """Drop the table with its policies and grants."""
    op.execute(f"drop table {table}")
