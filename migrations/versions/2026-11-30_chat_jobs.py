"""Answers of chat are jobs: runs and their events move into `jobs` and `job_events`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from dossier.core.rls import drop_tenant_table, tenant_table

revision = "chat_jobs"
down_revision = "job_events"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_STATES = (
    "'pending', 'processing', 'waiting', 'completed', 'failed', 'cancelling', "
    "'cancelled'"
)

# A result holds ids alone; the rest of it is in the last event.
_JOBS = """
insert into jobs (id, created_at, org_id, kind, state, priority, args, progress_peak,
  attempts, failures, deaths, error, actor_user_id, actor_api_key_id, actor_name,
  actor_role, request_id, engine_id, subject_id, last_seq, log_pruned_at,
  on_disconnect, result, started_at, finished_at, cancel_requested_at)
select id, created_at, org_id, kind,
  case when state = 'completed' then 'done'
       when finished_at is null and state <> 'cancelling' then 'pending'
       else state end,
  0, input, 0, attempts, 0, losses, error, actor_user_id, actor_api_key_id, actor_name,
  actor_role, request_id, nextval('queue.pgqueuer_id_seq'), subject_id,
  case when finished_at is null then 0 else stored_through end, log_pruned_at,
  'continue',
  case when jsonb_typeof(result) = 'object'
       then jsonb_build_object('ai_message_id', result -> 'ai_message_id') end,
  started_at, finished_at, cancel_requested_at
from runs
"""
# A batch whose commit was not acknowledged was stored again with what came after it.
_EVENTS = """
insert into job_events
  (org_id, job_id, first_seq, last_seq, attempt, events, created_at)
select distinct on (run_id, first_sequence)
  org_id, run_id, first_sequence, last_sequence, 0, events, created_at
from run_events order by run_id, first_sequence, last_sequence desc
"""
# Readers may have seen numbers that were not stored: new events begin behind these.
_RESTARTED = """
insert into job_events
  (org_id, job_id, first_seq, last_seq, attempt, events, created_at)
select run.org_id, run.id, run.reserved_through + 1, run.reserved_through + 1, 0,
  json_build_array(json_build_object('type', 'run.restarted',
    'sequence_number', run.reserved_through + 1, 'kept_through', log.last)),
  clock_timestamp()
from runs run cross join lateral (
  select max(last_sequence) as last from run_events
  where org_id = run.org_id and run_id = run.id
) log
where run.finished_at is null and log.last < run.reserved_through
"""
# The transaction that asks stores this event; runs that had not begun lack it.
_CREATED = """
insert into job_events
  (org_id, job_id, first_seq, last_seq, attempt, events, created_at)
select org_id, id, reserved_through + 1, reserved_through + 1, 0,
  json_build_array(json_build_object(
    'type', 'response.created', 'sequence_number', reserved_through + 1,
    'response', json_build_object(
      'id', id, 'object', 'response', 'status', 'in_progress'),
    'run_id', id, 'chat_room_id', input -> 'room_id',
    'user_message_id', input -> 'question_id', 'ai_message_id', input -> 'answer_id')),
  clock_timestamp()
from runs run where finished_at is null and not exists (
  select from run_events where org_id = run.org_id and run_id = run.id)
"""
_QUEUE = """
insert into queue.pgqueuer (id, priority, entrypoint, payload, status)
select engine_id, 0, kind, convert_to(
  json_build_object('org_id', org_id, 'job_id', id)::text, 'UTF8'), 'queued'
from jobs where kind = 'chat.answer' and finished_at is null
"""

_RUNS = """
insert into runs (id, created_at, org_id, kind, state, subject_id, input,
  actor_user_id, actor_api_key_id, actor_name, actor_role, request_id, epoch, attempts,
  losses, reserved_through, stored_through, error, result, started_at, finished_at,
  cancel_requested_at, log_pruned_at)
select job.id, job.created_at, job.org_id, job.kind,
  case when job.state = 'done' then 'completed'
       when job.finished_at is null and job.state <> 'cancelling' then 'pending'
       else job.state end,
  job.subject_id, job.args, job.actor_user_id, job.actor_api_key_id, job.actor_name,
  job.actor_role, job.request_id, 0, job.attempts, job.deaths, stored.last, stored.last,
  job.error, job.result, job.started_at, job.finished_at, job.cancel_requested_at,
  job.log_pruned_at
from jobs job cross join lateral (
  select greatest(job.last_seq, coalesce(max(last_seq), 0)) as last from job_events
  where org_id = job.org_id and job_id = job.id
) stored
where job.kind = 'chat.answer'
"""
_RUN_EVENTS = """
insert into run_events
  (org_id, run_id, first_sequence, last_sequence, events, created_at)
select event.org_id, event.job_id, event.first_seq, event.last_seq, event.events,
  event.created_at
from job_events event
join jobs job on job.org_id = event.org_id and job.id = event.job_id
where job.kind = 'chat.answer'
"""
_UNQUEUE = """
delete from queue.pgqueuer using jobs
where jobs.kind = 'chat.answer' and jobs.finished_at is null
  and queue.pgqueuer.id = jobs.engine_id
"""
_FORGET = "delete from jobs where kind = 'chat.answer'"


def upgrade() -> None:
    """Apply."""
    _as_system(_JOBS, _EVENTS, _RESTARTED, _CREATED, _QUEUE)
    drop_tenant_table(op, "run_events")
    drop_tenant_table(op, "runs")


def downgrade() -> None:
    """Revert."""
    _create_runs()
    _create_run_events()
    _as_system(_RUNS, _RUN_EVENTS, _UNQUEUE, _FORGET)


def _as_system(*statements: str) -> None:
    """Run statements with the role that sees all organisations; the owner sees none."""
    op.execute("set role dossier_system")
    for statement in statements:
        op.execute(statement)
    op.execute("set role dossier_owner")


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("input", JSONB(), nullable=False),
        sa.Column("actor_user_id", sa.Uuid()),
        sa.Column("actor_api_key_id", sa.Uuid()),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.Column("request_id", sa.String()),
        sa.Column("owner", sa.Uuid()),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", _INSTANT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("reserved_through", sa.BigInteger(), nullable=False),
        sa.Column("stored_through", sa.BigInteger(), nullable=False),
        sa.Column("error", JSONB()),
        sa.Column("result", JSONB()),
        sa.Column("started_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("cancel_requested_at", _INSTANT),
        sa.Column("log_pruned_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("org_id", "id", name="uq_runs_org_id_id"),
        sa.CheckConstraint(f"state in ({_STATES})", name="ck_runs_state"),
        sa.CheckConstraint(
            "stored_through <= reserved_through", name="ck_runs_reserved"
        ),
    )
    newest = sa.text("created_at desc")
    op.create_index("ix_runs_listed", "runs", ["org_id", newest, sa.text("id desc")])
    op.create_index("ix_runs_subject_id", "runs", ["org_id", "subject_id", newest])
    op.create_index(
        "ix_runs_unfinished",
        "runs",
        ["id"],
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_index(
        "ix_runs_unpruned",
        "runs",
        ["finished_at"],
        postgresql_where=sa.text("finished_at is not null and log_pruned_at is null"),
    )
    op.execute("alter table runs set (fillfactor = 70)")
    tenant_table(op, "runs")


def _create_run_events() -> None:
    op.create_table(
        "run_events",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint(
            "org_id", "run_id", "last_sequence", name="pk_run_events"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "run_id"],
            ["runs.org_id", "runs.id"],
            name="fk_run_events_org_id_run_id_runs",
            ondelete="CASCADE",
        ),
    )
    tenant_table(op, "run_events")
