"""Queries that only answering needs."""

from uuid import UUID

import orjson

from dossier.chat.constants import MessageState, SettledAnswer
from dossier.chat.rules.replies import REFUSALS
from dossier.core.reads import Reads, Statements, bound

QUESTIONS = 50
LONGEST_QUESTION = 300
_SETTLE = """
update chat_messages set state = $3, text = $4, citations = $5::text::jsonb,
  engine = $6::text::jsonb, dropped_claims = $7
where org_id = $1 and id = $2 and state = 'pending' and deleted_at is null
returning id
"""
# A person's latest questions, of those whose answers found something.
_LATEST = f"""
cross join lateral (
  select json_agg(json_build_array(latest.id, latest.text))::text as texts from (
    select said.id, said.text from chat_messages said
    join chat_members member on member.org_id = bound.org_id
      and member.room_id = said.room_id and member.profile_id = said.profile_id
    where said.org_id = bound.org_id and said.profile_id = person.id
      and said.id <> $2 and said.state = 'complete' and said.deleted_at is null
      and length(said.text) <= {LONGEST_QUESTION} and exists (
        select from chat_messages told
        where told.org_id = bound.org_id and told.room_id = said.room_id
          and told.parent_id = said.id and told.virtual_user_id is not null
          and told.state = 'complete' and told.deleted_at is null
          and not told.text ^@ any($3::text[])
      )
    order by said.created_at desc, said.id desc limit {QUESTIONS}
  ) latest
) earlier
"""  # noqa: S608 - numbers of ours
_EARLIER = bound(f"""
select earlier.texts from chat_profiles person {_LATEST}
where person.org_id = bound.org_id and person.user_id is not distinct from $4
""")  # noqa: S608 - as above
# The same with the state of an answer, for a member of its room.
_SETTLED = bound(f"""
select answer.state, answer.text, answer.citations::text as citations,
  answer.engine::text as engine, answer.dropped_claims, earlier.texts
from chat_messages answer
join chat_members seat on seat.org_id = bound.org_id and seat.room_id = answer.room_id
join chat_profiles person
  on person.org_id = bound.org_id and person.id = seat.profile_id {_LATEST}
where answer.org_id = bound.org_id and answer.id = $5
  and person.user_id is not distinct from $4
""")  # noqa: S608 - as above


async def get_settled_for_org(
    reads: Reads,
    org_id: UUID,
    message_id: UUID,
    *,
    user_id: UUID | None,
    question_id: UUID,
) -> tuple[SettledAnswer, dict[UUID, str]] | None:
    """Return what an answer came to, and its reader's other questions; members only.

    Of these, the ones with an answer that found something.
    """
    rows = await reads.rows(
        _SETTLED, org_id, question_id, list(REFUSALS), user_id, message_id
    )
    if not rows:
        return None
    row = rows[0]
    settled = SettledAnswer(
        state=MessageState(row["state"]),
        text=row["text"],
        citations=orjson.loads(row["citations"]),
        engine=orjson.loads(row["engine"] or "null"),
        dropped_claims=row["dropped_claims"],
    )
    return settled, _texts_by_id(row["texts"])


async def list_earlier_for_org(
    reads: Reads, org_id: UUID, *, user_id: UUID | None, question_id: UUID
) -> dict[UUID, str]:
    """Return a person's other questions, the latest of those that found something."""
    rows = await reads.rows(_EARLIER, org_id, question_id, list(REFUSALS), user_id)
    return _texts_by_id(rows[0]["texts"]) if rows else {}


def _texts_by_id(written: str | None) -> dict[UUID, str]:
    return {UUID(key): text for key, text in orjson.loads(written or "[]")}


async def settle_answer_for_org(
    statements: Statements, org_id: UUID, message_id: UUID, settled: SettledAnswer
) -> bool:
    """Write what a pending answer came to, once; tell whether it was pending."""
    rows = await statements(
        _SETTLE,
        org_id,
        message_id,
        settled.state,
        settled.text,
        orjson.dumps(settled.citations).decode(),
        orjson.dumps(settled.engine).decode(),
        settled.dropped_claims,
    )
    return bool(rows)
