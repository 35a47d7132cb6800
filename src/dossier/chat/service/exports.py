"""A room written down: Markdown of a branch, JSON of all branches."""

from uuid import UUID

from dossier.activity.service import ActivityService
from dossier.chat.constants import MAX_PATH, ExportFormat
from dossier.chat.gateway import messages as gateway
from dossier.chat.rules.export import ExportedText, export_filename, markdown_of
from dossier.chat.schemas import ExportedMessage, ExportedRoom
from dossier.chat.service.branches import BranchesService, views_of
from dossier.chat.service.rooms import Memberships
from dossier.core.database import Session
from dossier.core.downloads import Content, content_of
from dossier.core.tenancy import Actor

MARKDOWN_TYPE = "text/markdown; charset=utf-8"
JSON_TYPE = "application/json"


class ExportsService:
    """Rooms to take away, for those who are members."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._memberships = Memberships(session, actor)
        self._branches = BranchesService(session, actor)
        self._activity = ActivityService(session, actor)

    async def export(
        self, room_id: UUID, form: ExportFormat, leaf_id: UUID | None = None
    ) -> Content:
        """Write a room down."""
        org_id = self._actor.org_id
        room = (await self._memberships.get(room_id)).room
        if form is ExportFormat.JSON:
            rows = await gateway.list_messages_for_org(self._session, org_id, room.id)
            views = await views_of(self._session, org_id, rows, None)
            written = ExportedRoom(
                id=room.id,
                title=room.title,
                created_at=room.created_at,
                product_id=room.product_id,
                messages=[ExportedMessage.model_validate(each) for each in views],
            )
            text, ending, media_type = (
                written.model_dump_json(indent=2),
                "json",
                JSON_TYPE,
            )
        else:
            page = await self._branches.page(room.id, leaf_id, MAX_PATH)
            texts = [
                ExportedText(
                    each.sender.name, each.created_at, each.text, each.citations
                )
                for each in reversed(page.items)
                if each.text
            ]
            text, ending, media_type = (
                markdown_of(room.title, texts),
                "md",
                MARKDOWN_TYPE,
            )
        await self._activity.record(
            "export", "chat_room", room_id, details={"format": form.value}
        )
        return content_of(
            text.encode(), export_filename(room.title, ending), media_type
        )
