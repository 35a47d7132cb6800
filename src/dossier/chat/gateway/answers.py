"""Queries that only answering needs."""

from uuid import UUID

import orjson
from sqlalchemy import func, select

from dossier.chat.constants import MessageState, SettledAnswer
from dossier.chat.models import ChatMember, ChatMessage
from dossier.core.database import Session
from dossier.core.reads import Reads, Statements, bound

QUESTIONS = 50
LONGEST_QUESTION = 300
_SETTLE = """
update chat_messages set state = $3, text = $4, citations = $5::text::jsonb,
  engine = $6::text::jsonb, dropped_claims = $7
where org_id = $1 and id = $2 and state = 'pending' and deleted_at is null
returning id
"""
_SETTLED = bound("""
select state, text, citations::text as citations, engine::text as engine,
  dropped_claims
from chat_messages where org_id = bound.org_id and id = $2
""")


async def list_own_questions_for_org(
    session: Session, org_id: UUID, profile_id: UUID, but_for: UUID
) -> list[tuple[UUID, str]]:
    """Return a person's latest short messages in rooms where they still are."""
    query = (
        select(ChatMessage.id, ChatMessage.text)
        .join(
            ChatMember,
            (ChatMember.org_id == ChatMessage.org_id)
            & (ChatMember.room_id == ChatMessage.room_id)
            & (ChatMember.profile_id == ChatMessage.profile_id),
        )
        .where(
            ChatMessage.org_id == org_id,
            ChatMember.org_id == org_id,
            ChatMessage.profile_id == profile_id,
            ChatMessage.id != but_for,
            ChatMessage.state == MessageState.COMPLETE,
            ChatMessage.deleted_at.is_(None),
            func.length(ChatMessage.text) <= LONGEST_QUESTION,
        )
        .order_by(ChatMessage.created_at.desc(), ChatMessage.id.desc())
        .limit(QUESTIONS)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def get_settled_for_org(
    reads: Reads, org_id: UUID, message_id: UUID
) -> SettledAnswer | None:
    """Return what an answer came to, in one round trip."""
    rows = await reads.rows(_SETTLED, org_id, message_id)
    if not rows:
        return None
    row = rows[0]
    return SettledAnswer(
        state=MessageState(row["state"]),
        text=row["text"],
        citations=orjson.loads(row["citations"]),
        engine=orjson.loads(row["engine"] or "null"),
        dropped_claims=row["dropped_claims"],
    )


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
