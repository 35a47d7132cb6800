"""Passages, terms and vectors."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC, SPARSEVEC
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "knowledge"
down_revision = "runs"
branch_labels = None
depends_on = None

_INDEXED_DIMENSIONS = (256, 384, 512, 768, 1024, 1536)

# Upkeep runs as the owner, also where a cascade fires it: PostgreSQL 18 runs a
# trigger as the role that caused it, earlier ones as the role of the outer statement.
_UPKEEP = (
    "create policy upkeep on {} to dossier_owner using (true) with check (true)",
    "create policy upkeep on {} for select to dossier_owner using (true)",
)

_SUMS = """
  insert into knowledge_stats as kept
         (org_id, chunk_count, total_terms, corpus_version,
          dense_state, dense_languages)
  select org_id, sum(chunks), sum(length), 1, 'none', '[]'
    from ({source}) as changed group by org_id
      on conflict (org_id) do update
     set chunk_count = kept.chunk_count + excluded.chunk_count,
         total_terms = kept.total_terms + excluded.total_terms,
         corpus_version = kept.corpus_version + 1;
"""

_TERMS = """
  merge into knowledge_terms as kept
  using (select org_id, analyser_version, term_id, sum(chunks)::int as chunks
           from ({source}) as changed, unnest(terms) as term_id
          group by 1, 2, 3 having sum(chunks) <> 0) as change
     on kept.org_id = change.org_id
    and kept.analyser_version = change.analyser_version
    and kept.term_id = change.term_id
   when matched and kept.chunk_count + change.chunks <= 0 then delete
   when matched then update set chunk_count = kept.chunk_count + change.chunks
   when not matched then
        insert (org_id, analyser_version, term_id, chunk_count)
        values (change.org_id, change.analyser_version, change.term_id, change.chunks);
"""

# Before its first `analyze` the planner takes the table of terms for a small one, and
# reads it whole for each document.
_BY_KEY = (
    "set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off"
)

_ROW = "select org_id, analyser_version, terms, {sign} as chunks, {sign} * length_terms"
_ADDED = _ROW.format(sign="1") + " as length from added"
_GONE = _ROW.format(sign="-1") + " as length from gone"
_BOTH = f"{_ADDED} union all {_GONE}"
# A re-weighing changes no term; only rows whose terms changed are counted anew.
_CHANGED = (
    "select after.org_id, after.analyser_version, after.terms, 1 as chunks"
    " from added as after join gone as before using (id)"
    " where (after.analyser_version, after.terms) is distinct from"
    " (before.analyser_version, before.terms)"
    " union all select before.org_id, before.analyser_version, before.terms, -1"
    " from added as after join gone as before using (id)"
    " where (after.analyser_version, after.terms) is distinct from"
    " (before.analyser_version, before.terms)"
)

_TRIGGERS = (
    ("insert", "new table as added", _ADDED, _ADDED),
    ("delete", "old table as gone", _GONE, _GONE),
    ("update", "old table as gone new table as added", _BOTH, _CHANGED),
)

# Whoever writes passages or vectors holds the sums first. A deletion reaches them by
# cascades, vectors first and sums last: two that met would wait for each other.
_HOLD = """
create function knowledge_hold() returns trigger language plpgsql
security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  perform from knowledge_stats where org_id = old.org_id for update;
  return old;
end $$
"""

# The terms of two organisations are different keys, so that the index leads to one's
# own passages alone.
_KEYS = """
create function knowledge_keys(org uuid, terms integer[]) returns integer[]
language sql immutable strict parallel safe as $$
  select array(select term # (('x' || right(org::text, 7))::bit(28)::integer)
                 from unnest(terms) as term)
$$
"""

# Row-level security keeps the planner from an index whose operator might leak; here
# the organisation is bound inside, and nothing but ids of its own passages comes out.
_CANDIDATES = """
create function knowledge_candidates(wanted integer[]) returns setof uuid
language sql stable strict security definer
set search_path = pg_catalog, public, pg_temp as $$
  select id from knowledge_chunks
   where org_id = nullif(current_setting('app.org_id', true), '')::uuid
     and knowledge_keys(org_id, terms) && knowledge_keys(
           nullif(current_setting('app.org_id', true), '')::uuid, wanted)
$$
"""


def upgrade() -> None:
    """Apply."""
    _create_chunks()
    _create_indexed_documents()
    _create_terms()
    _create_stats()
    _create_embeddings()
    _create_upkeep()
    _create_candidates()


def downgrade() -> None:
    """Revert."""
    op.execute("drop trigger knowledge_hold on documents")
    op.execute("drop function knowledge_hold()")
    op.execute("drop function knowledge_candidates(integer[])")
    drop_tenant_table(op, "knowledge_embeddings")
    drop_tenant_table(op, "knowledge_documents")
    drop_tenant_table(op, "knowledge_chunks")
    drop_tenant_table(op, "knowledge_terms")
    drop_tenant_table(op, "knowledge_stats")
    for event, *_ in _TRIGGERS:
        op.execute(f"drop function knowledge_chunks_{event}()")
    op.execute("drop function knowledge_keys(uuid, integer[])")


def _document_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", "document_id"],
        ["documents.org_id", "documents.id"],
        name=f"fk_{table}_org_id_document_id_documents",
        ondelete="CASCADE",
    )


def _create_chunks() -> None:
    op.create_table(
        "knowledge_chunks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("places", JSONB(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("analyser_version", sa.Integer(), nullable=False),
        sa.Column("length_terms", sa.Integer(), nullable=False),
        sa.Column("terms", ARRAY(sa.Integer()), nullable=False),
        sa.Column("sparse", SPARSEVEC(1_000_000_000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_chunks"),
        sa.UniqueConstraint("org_id", "id", name="uq_knowledge_chunks_org_id_id"),
        sa.UniqueConstraint(
            "org_id",
            "document_id",
            "position",
            name="uq_knowledge_chunks_org_id_document_id_position",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.CheckConstraint(
            "kind in ('text', 'table')", name="ck_knowledge_chunks_kind"
        ),
        sa.CheckConstraint("position >= 1", name="ck_knowledge_chunks_position"),
        _document_key("knowledge_chunks"),
    )
    # An exact scan reads every vector: out of line it takes seven times as long.
    op.execute("alter table knowledge_chunks set (toast_tuple_target = 8160)")
    op.execute("alter table knowledge_chunks alter sparse set storage main")
    tenant_table(op, "knowledge_chunks")


def _create_indexed_documents() -> None:
    op.create_table(
        "knowledge_documents",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("analyser_version", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "document_id", name="pk_knowledge_documents"),
        _document_key("knowledge_documents"),
    )
    tenant_table(op, "knowledge_documents")


def _create_terms() -> None:
    op.create_table(
        "knowledge_terms",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("analyser_version", sa.Integer(), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "analyser_version", "term_id", name="pk_knowledge_terms"
        ),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
            name="fk_knowledge_terms_org_id_organisations",
            ondelete="CASCADE",
        ),
    )
    # Counts change in place, without a new index entry, while a page has room.
    op.execute("alter table knowledge_terms set (fillfactor = 60)")
    tenant_table(op, "knowledge_terms")


def _create_stats() -> None:
    op.create_table(
        "knowledge_stats",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("total_terms", sa.BigInteger(), nullable=False),
        sa.Column("average_terms", sa.Float()),
        sa.Column("analyser_version", sa.Integer()),
        sa.Column("corpus_version", sa.BigInteger(), nullable=False),
        sa.Column("dense_state", sa.Text(), nullable=False),
        sa.Column("dense_model", sa.Text()),
        sa.Column("dense_dimensions", sa.Integer()),
        sa.Column("dense_languages", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name="pk_knowledge_stats"),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organisations.id"],
            name="fk_knowledge_stats_org_id_organisations",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "knowledge_stats")


def _create_embeddings() -> None:
    op.create_table(
        "knowledge_embeddings",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("chunk_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("vector", HALFVEC(), nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "chunk_id", "model", name="pk_knowledge_embeddings"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "chunk_id"],
            ["knowledge_chunks.org_id", "knowledge_chunks.id"],
            name="fk_knowledge_embeddings_org_id_chunk_id_knowledge_chunks",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_knowledge_embeddings_content",
        "knowledge_embeddings",
        ["org_id", "model", "content_sha256"],
    )
    for size in _INDEXED_DIMENSIONS:
        op.execute(
            f"create index ix_knowledge_embeddings_hnsw_{size} on knowledge_embeddings"
            f" using hnsw ((vector::halfvec({size})) halfvec_ip_ops)"
            f" with (m = 16, ef_construction = 64) where dimensions = {size}"
        )
    tenant_table(op, "knowledge_embeddings")


def _create_upkeep() -> None:
    for table in ("knowledge_terms", "knowledge_stats"):
        op.execute(_UPKEEP[0].format(table))
    for event, tables, sums, terms in _TRIGGERS:
        name = f"knowledge_chunks_{event}"
        op.execute(
            f"create function {name}() returns trigger language plpgsql"
            " security definer set search_path = pg_catalog, public, pg_temp"
            f" {_BY_KEY} as $$"
            f"begin {_SUMS.format(source=sums)} {_TERMS.format(source=terms)}"
            "return null; end $$"
        )
        op.execute(
            f"create trigger {name} after {event} on knowledge_chunks"
            f" referencing {tables} for each statement execute function {name}()"
        )
    op.execute(_HOLD)
    op.execute(
        "create trigger knowledge_hold before delete on documents"
        " for each row execute function knowledge_hold()"
    )


def _create_candidates() -> None:
    op.execute(_KEYS)
    op.execute(
        "create index ix_knowledge_chunks_keys on knowledge_chunks"
        " using gin (knowledge_keys(org_id, terms))"
    )
    op.execute(_UPKEEP[1].format("knowledge_chunks"))
    op.execute(_CANDIDATES)
