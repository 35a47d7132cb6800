"""Products can be archived; members that partial changes left out are null again."""

import sqlalchemy as sa
from alembic import op

revision = "product_archive"
down_revision = "access"
branch_labels = None
depends_on = None

_INDEX = "ix_products_org_id_created_at"
_COMPLETED = """
update products set
    usage = '{"method": null, "amount": null, "frequency": null}'::jsonb || usage,
    holder = '{"address": null, "phone": null}'::jsonb || holder,
    sites = coalesce(
        (select jsonb_agg('{"country": null}'::jsonb || site order by position)
           from jsonb_array_elements(sites) with ordinality as each (site, position)),
        '[]'::jsonb
    )
where not usage ?& array['method', 'amount', 'frequency']
   or not holder ?& array['address', 'phone']
   or exists (select 1 from jsonb_array_elements(sites) as site
               where not site ? 'country')
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("products", sa.Column("archived_at", sa.DateTime(timezone=True)))
    # The usual list leaves archived products out: without the condition in the index,
    # counting reads every row.
    _replace_index(sa.text("archived_at is null"))
    # Row security is forced on the owner as well; this role sees all organisations.
    op.execute("set role dossier_system")
    op.execute(_COMPLETED)
    op.execute("set role dossier_owner")


def downgrade() -> None:
    """Revert."""
    _replace_index(None)
    op.drop_column("products", "archived_at")


def _replace_index(condition: sa.TextClause | None) -> None:
    op.drop_index(_INDEX, "products")
    op.create_index(
        _INDEX,
        "products",
        ["org_id", sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=condition,
    )
