"""All that is known of a question before it is stored, in one round trip.

Only the usual case is read here: one's own virtual user, in a new room or in one that
it has joined and that takes messages. Anything else is not found, and takes longer.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from dossier.core.creates import Condition
from dossier.core.models import new_id
from dossier.core.reads import Reads, bound, fenced

TOLD_MESSAGES: Final = 40
"""Of a branch; where more would fit a model's window, the longer way reads them."""
PATH_MESSAGES: Final = 200

# The first question of a room: what its rows have to name is read beside them.
_NEW_ROOM = """
select bound.org_id, profile.xmin::text as profile_version,
  persona.xmin::text as persona_version,
  profile.id as profile_id, profile.display_name as asker,
  persona.id as persona_id, persona.name,
  persona.personality, persona.tone, persona.knowledge_areas, persona.backstory,
  persona.language, null::uuid as product_id, null::uuid as newest_id,
  null::timestamptz as newest_at, null::text as told, null::text as attached
from chat_profiles profile
join virtual_users persona on persona.org_id = bound.org_id
  and persona.owner_id = profile.id and persona.retired_at is null
  and persona.is_default
where profile.org_id = bound.org_id and profile.user_id is not distinct from $2
  and ($3::uuid is null or persona.id = $3)
"""
_PEOPLE = fenced(_NEW_ROOM)
_SAME_PEOPLE = fenced(
    _NEW_ROOM + "  and profile.xmin::text = $4 and persona.xmin::text = $5"
    "  and profile.id = $6 and persona.id = $7"
)
_IN_ROOM = bound(f"""
select profile.id as profile_id, profile.display_name as asker,
  persona.id as persona_id, persona.name,
  persona.personality, persona.tone, persona.knowledge_areas, persona.backstory,
  persona.language, room.id as room_id, room.product_id, room.active_at, room.summary,
  room.summary_through_id, newest.id as newest_id, newest.created_at as newest_at,
  past.told, past.attached, past.has_more
from chat_profiles profile
join virtual_users persona on persona.org_id = bound.org_id
  and persona.owner_id = profile.id and persona.retired_at is null
  and case when $4::uuid is null then persona.is_default else persona.id = $4 end
cross join lateral (
  select room.* from chat_rooms room
  join chat_members member on member.org_id = bound.org_id
    and member.room_id = room.id and member.profile_id = profile.id
  join chat_room_personas joined on joined.org_id = bound.org_id
    and joined.room_id = room.id and joined.virtual_user_id = persona.id
  where room.org_id = bound.org_id and room.id = $3 and room.archived_at is null
) room
left join lateral (
  select message.id, message.created_at from chat_messages message
  where message.org_id = bound.org_id and message.room_id = room.id
  order by message.created_at desc, message.id desc limit 1
) newest on true
left join lateral (
  with recursive path as (
    select message.id, message.parent_id, 1 as depth from chat_messages message
    where message.org_id = bound.org_id and message.room_id = room.id
      and message.id = newest.id
    union all
    select message.id, message.parent_id, path.depth + 1
    from path join chat_messages message on message.id = path.parent_id
    where message.org_id = bound.org_id and message.room_id = room.id
      and path.depth < {PATH_MESSAGES}
  )
  select (
    select json_agg(json_build_object(
        'id', said.id, 'text', said.text, 'is_persona', said.profile_id is null,
        'name', coalesce(person.display_name, speaker.name),
        'is_told', said.state in ('complete', 'incomplete') and said.text <> ''
          and said.deleted_at is null
      ) order by path.depth)
    from path join chat_messages said
      on said.org_id = bound.org_id and said.id = path.id
    left join chat_profiles person
      on person.org_id = bound.org_id and person.id = said.profile_id
    left join virtual_users speaker
      on speaker.org_id = bound.org_id and speaker.id = said.virtual_user_id
    where path.depth <= {TOLD_MESSAGES}
  )::text as told, (
    select json_agg(sent.document_id order by path.depth, sent.filename)
    from path join chat_attachments sent
      on sent.org_id = bound.org_id and sent.message_id = path.id
  )::text as attached,
  coalesce(
    (select max(path.depth) from path) > {TOLD_MESSAGES}, false
  ) as has_more
) past on true
where profile.org_id = bound.org_id and profile.user_id is not distinct from $2
""")  # noqa: S608 - numbers of ours

# The row that is proposed for a room that stands can never be inserted: nobody has the
# profile that it names. So it either finds its room as it was read, and locks and marks
# it, or nothing at all is stored.
GONE: Final = "fk_chat_rooms_org_id_created_by_chat_profiles"
_UNCHANGED = """
insert into chat_rooms as room
  (org_id, id, created_at, kind, title, created_by, active_at)
select bound.org_id, $2, $3, 'private', '', $4, $3
from bound cross join lateral (
  select from chat_members member where member.org_id = bound.org_id
    and member.room_id = $2 and member.profile_id = $5 offset 0
) member
on conflict (id) do update set active_at = excluded.active_at
where room.org_id = excluded.org_id and room.active_at = $6
  and room.archived_at is null
returning room.org_id
"""


async def read_opening_for_org(
    reads: Reads,
    org_id: UUID,
    asker: tuple[UUID | None, UUID, UUID | None],
) -> Mapping[str, Any] | None:
    """Return user, room and virtual user with what was said; `None`: not that simple.

    `asker` holds the user, the room, and the virtual user if one is named.
    """
    rows = await reads.rows(_IN_ROOM, org_id, *asker)
    return dict(rows[0]) if rows else None


def usual_people(user_id: UUID | None, persona_id: UUID | None) -> Condition:
    """Return the condition that somebody asks their own default virtual user.

    Its row tells what `read_opening_for_org` tells of a room in which nothing stands.
    """
    return Condition(_PEOPLE, (user_id, persona_id))


def same_people(
    read: Mapping[str, Any], user_id: UUID | None, persona_id: UUID | None
) -> Condition:
    """Return the same condition, and that nothing of it was changed since it was read.

    A row that is updated gets another `xmin`.
    """
    names = ("profile_version", "persona_version", "profile_id", "persona_id")
    read_before = [read[name] for name in names]
    return Condition(_SAME_PEOPLE, (user_id, persona_id, *read_before))


def room_as_read(opening: Mapping[str, Any], at: datetime) -> Condition:
    """Return the condition that a room is as it was read; it is marked as used."""
    args = (
        opening["room_id"],
        at,
        new_id(),
        opening["profile_id"],
        opening["active_at"],
    )
    return Condition(_UNCHANGED, args)
