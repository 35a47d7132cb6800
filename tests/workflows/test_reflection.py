"""The kind `reflection`, over HTTP, with a scripted model and without one."""

from tests.workflows.conftest import Runs

from dossier.testing.model_server.script import Script
from dossier.testing.model_server.server import ScriptedModelServer

URL = "/api/v1/workflows/reflection"
TEXT = (
    "The cream was kept at 40 °C for 3 months and its shelf life is 30 months, as the "
    "report on its stability says in the passages that were found here. [1]"
)


async def test_run_is_answered_with_its_result_to_who_waits(
    runs: Runs, model: ScriptedModelServer
) -> None:
    model.play(Script(reply=TEXT))
    async with runs.working(model):
        answer = await runs.client.post(
            URL,
            json={"topic": "Shelf life of the rose cream", "language": "en"},
            headers={"prefer": "wait=20"},
        )

    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert body["status"] == "completed"
    assert answer.headers["location"] == f"/api/v1/workflows/{body['workflow_id']}"
    assert body["result"]["text"] == TEXT
    assert body["execution_time"] > 0
