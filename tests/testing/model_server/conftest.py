"""The official clients: a second and a half to import, for these tests alone."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from dossier.testing.model_server.server import ScriptedModelServer, scripted_model

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[ScriptedModelServer]:
    async with scripted_model() as server:
        yield server


@pytest.fixture
def server(running: ScriptedModelServer) -> ScriptedModelServer:
    running.reset()
    return running


@pytest.fixture(scope="session")
async def openai_session(running: ScriptedModelServer) -> "AsyncIterator[AsyncOpenAI]":
    from openai import AsyncOpenAI  # noqa: PLC0415 - see above

    async with AsyncOpenAI(
        base_url=running.base_url, api_key="any", max_retries=0
    ) as client:
        yield client


@pytest.fixture
def openai(openai_session: "AsyncOpenAI", server: ScriptedModelServer) -> "AsyncOpenAI":
    assert server.script.delay_per_token_ms == 0
    return openai_session


@pytest.fixture(scope="session")
async def anthropic_session(
    running: ScriptedModelServer,
) -> "AsyncIterator[AsyncAnthropic]":
    from anthropic import AsyncAnthropic  # noqa: PLC0415 - see above

    async with AsyncAnthropic(
        base_url=running.root_url, api_key="any", max_retries=0
    ) as client:
        yield client


@pytest.fixture
def anthropic(
    anthropic_session: "AsyncAnthropic", server: ScriptedModelServer
) -> "AsyncAnthropic":
    assert server.script.delay_per_token_ms == 0
    return anthropic_session
