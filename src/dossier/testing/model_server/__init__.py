"""A scripted model server: OpenAI's and Anthropic's wire without a model behind it.

    async with scripted_model(delay_per_token_ms=50) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="any")
        ...
        assert server.calls.count("/v1/chat/completions") == 1

The same runs as `dossier fake-model`. It is for tests, demonstrations and benchmarks:
the answers are made by rules, from what the prompt holds.
"""

from dossier.testing.model_server.calls import Call, Calls
from dossier.testing.model_server.script import (
    Deviation,
    Fault,
    FaultKind,
    Rule,
    Script,
)
from dossier.testing.model_server.server import ScriptedModelServer, scripted_model

__all__ = [
    "Call",
    "Calls",
    "Deviation",
    "Fault",
    "FaultKind",
    "Rule",
    "Script",
    "ScriptedModelServer",
    "scripted_model",
]
