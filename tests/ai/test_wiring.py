"""What settings name reaches the routes that need it."""

from pathlib import Path

import httpx2
import pytest
from starlette.datastructures import State
from tests.conftest import ORG_ID, USER_ID, KnownTokens, client_of, owner_of

from dossier.ai.service.assembly import embedder_name
from dossier.core.settings import Settings
from dossier.main import create_app

OPENAI = {"base_url": "http://127.0.0.1:9/v1", "embed_model": "e5"}
LOCAL = {"local_embed_model": "bge"}


def set_to(**groups: object) -> Settings:
    return Settings.model_validate(groups)


@pytest.mark.parametrize(
    ("groups", "name"),
    [
        ({}, None),
        ({"ai": {"embed_model": "e5"}}, None),
        ({"ai": {"embed_model": "e5", "anthropic_api_key": "k"}}, None),
        ({"ai": OPENAI}, "e5"),
        ({"knowledge": LOCAL}, "local:bge"),
        ({"ai": OPENAI, "knowledge": LOCAL}, "local:bge"),
    ],
)
def test_vectors_are_kept_under_the_name_of_who_really_embeds(
    groups: dict[str, object], name: str | None
) -> None:
    assert embedder_name(set_to(**groups)) == name


async def why_of(settings: Settings) -> tuple[str, State]:
    """Search through a started app; return what it says and its embedder."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        app.state.authenticator = KnownTokens({"mei": owner_of(ORG_ID, USER_ID)})
        async with client_of(app, "mei") as client:
            found = await client.get("/api/v1/search", params={"q": "shelf life"})
    assert found.status_code == httpx2.codes.OK
    return found.json()["why"], app.state


@pytest.mark.slow  # an app is made and started
async def test_a_started_app_searches_with_what_settings_name(
    settings: Settings, committing_url: str, tmp_path: Path
) -> None:
    database = {"url": committing_url, "migrate_on_start": False}
    base = settings.model_dump() | {"database": database, "home": tmp_path}
    central = {"central_url": "http://127.0.0.1:9"}

    named, state = await why_of(set_to(**(base | {"ai": OPENAI, "knowledge": central})))

    assert "no embedding model is set" not in named
    assert state.searchers.embedder().name == "e5"
