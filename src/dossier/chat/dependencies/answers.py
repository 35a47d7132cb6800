"""Wiring of questions and runs."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request

from dossier.chat.tasks.asking import Asking
from dossier.core.prefer import applied_of, wait_of
from dossier.core.settings import Settings
from dossier.core.web import AppSettings, CurrentActor, Sessions, is_welcome
from dossier.integrations.llm.plan import model_plan
from dossier.runs.dependencies import Runs

PREFER: Final = "`respond-async` answers at once, `wait=N` after N s."
PREFERRED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "prefer",
            "in": "header",
            "required": False,
            "schema": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "description": PREFER,
                "title": "Prefer",
            },
            "description": PREFER,
        }
    ]
}
"""Documents the header for a hot route, which declares none."""


async def get_asking(
    request: Request,
    sessions: Sessions,
    actor: CurrentActor,
    engine: Runs,
    settings: AppSettings,
) -> Asking:
    """Build what asks; it opens its own short transactions."""
    return Asking(
        sessions,
        actor,
        engine,
        settings.chat.max_message_characters,
        has_model=model_plan(settings.ai) is not None,
        is_welcome=partial(is_welcome, request, actor),
        acquaintances=request.app.state.acquaintances,
    )


async def get_patience_s(
    settings: AppSettings,
    prefer: Annotated[str | None, Header(description=PREFER)] = None,
) -> float:
    """Return how long a caller waits for an answer that is not streamed."""
    return _patience_s(settings, prefer)


async def get_hot_patience_s(settings: AppSettings, request: Request) -> float:
    """Return the same on a hot route."""
    return _patience_s(settings, request.headers.get("prefer"))


def _patience_s(settings: Settings, prefer: str | None) -> float:
    if prefer is None:
        return settings.runs.max_duration_s
    wait_s = wait_of(prefer)
    if wait_s is None:
        return 0 if applied_of(prefer) else settings.runs.max_duration_s
    return wait_s


Ask = Annotated[Asking, Depends(get_asking)]
PatienceS = Annotated[float, Depends(get_patience_s)]
HotPatienceS = Annotated[float, Depends(get_hot_patience_s)]
