"""Which version cites which document; archived documents."""

import sqlalchemy as sa
from alembic import op

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "citations"
down_revision = "chat"
branch_labels = None
depends_on = None

_LINK_KEY = "fk_product_documents_org_id_document_id_documents"

# The owner sees no tenant's rows; the system's role sees all.
_OF_FORMULAS = """
insert into document_citations
       (org_id, document_id, kind, citing_id, product_id, number)
select org_id, document_id, 'formula', id, product_id, number from formula_versions
"""
_OF_VERSIONS = """
insert into document_citations
       (org_id, document_id, kind, citing_id, product_id, number)
select distinct v.org_id, d.id, 'pif_version', v.id, v.product_id, v.number
  from pif_versions v, jsonb_array_elements(v.snapshot -> 'evidence') as evidence
  join documents d on d.id = (evidence ->> 'document_id')::uuid
 where d.org_id = v.org_id
"""

# What is archived is not found any more from the same transaction on.
_FORGET = """
create function knowledge_forget() returns trigger language plpgsql as $$ begin
  perform from knowledge_stats where org_id = new.org_id for update;
  delete from knowledge_chunks where org_id = new.org_id and document_id = new.id;
  delete from knowledge_documents where org_id = new.org_id and document_id = new.id;
  return null;
end $$
"""


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "documents",
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
    )
    op.add_column("documents", sa.Column("archived_at", sa.DateTime(timezone=True)))
    _create_citations()
    _link_documents(ondelete="CASCADE")
    op.execute("set role dossier_system")
    op.execute(_OF_FORMULAS)
    op.execute(_OF_VERSIONS)
    op.execute("set role dossier_owner")
    op.execute(_FORGET)
    op.execute(
        "create trigger knowledge_forget after update of archived_at on documents"
        " for each row when (new.archived_at is not null)"
        " execute function knowledge_forget()"
    )


def downgrade() -> None:
    """Revert; documents that were archived are listed again."""
    op.execute("drop trigger knowledge_forget on documents")
    op.execute("drop function knowledge_forget()")
    _link_documents(ondelete=None)
    drop_tenant_table(op, "document_citations")
    op.drop_column("documents", "archived_at")
    op.drop_column("documents", "revision")


def _create_citations() -> None:
    op.create_table(
        "document_citations",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("citing_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "document_id", "kind", "citing_id", name="pk_document_citations"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "document_id"],
            ["documents.org_id", "documents.id"],
            name="fk_document_citations_org_id_document_id_documents",
        ),
        sa.CheckConstraint(
            "kind in ('pif_version', 'formula')", name="ck_document_citations_kind"
        ),
    )
    tenant_table(op, "document_citations")


def _link_documents(ondelete: str | None) -> None:
    op.drop_constraint(_LINK_KEY, "product_documents", type_="foreignkey")
    op.create_foreign_key(
        _LINK_KEY,
        "product_documents",
        "documents",
        ["org_id", "document_id"],
        ["org_id", "id"],
        ondelete=ondelete,
    )
