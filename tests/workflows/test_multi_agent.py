"""The kind `multi-agent`: a plan, its steps, a report; tools see one organisation."""

import json
from typing import Any

from tests.chat.answering.documents import StoredPassage
from tests.conftest import OTHER_ORG_ID
from tests.workflows.conftest import Runs

from dossier.testing.model_server.script import Rule, Script
from dossier.testing.model_server.server import ScriptedModelServer

URL = "/api/v1/workflows/multi-agent"
PLAN = {
    "steps": [
        {"agent": "researcher", "instruction": "Find the shelf life of the cream."},
        {"agent": "writer", "instruction": "Write two sentences."},
    ]
}
REPORT = "The shelf life of the rose cream is 30 months. [1]"


def script(plan: dict[str, Any]) -> Script:
    return Script(
        rules=(
            Rule(when='"agents"', tool="final_result", arguments=plan),
            Rule(when="Write", reply=REPORT),
        ),
        reply="Found: 30 months [1].",
    )


async def test_plan_is_carried_out_and_the_report_returned(
    runs: Runs, model: ScriptedModelServer
) -> None:
    model.play(script(PLAN))
    async with runs.working(model):
        answer = await runs.client.post(
            URL, json={"task": "Report the shelf life."}, headers={"prefer": "wait=20"}
        )

    result = answer.json()["result"]
    assert answer.status_code == 200, answer.text
    assert result["report"] == REPORT
    assert [each["agent"] for each in result["history"]] == ["researcher", "writer"]
    assert result["issues"] == []


async def test_plan_waits_for_approval_over_http(
    runs: Runs, model: ScriptedModelServer
) -> None:
    model.play(script(PLAN))
    async with runs.working(model):
        started = await runs.client.post(
            URL, json={"task": "Report.", "needs_approval": True}
        )
        path = started.headers["location"]
        run_id = started.json()["workflow_id"]
        waiting = await runs.until(run_id, "waiting")
        approved = await runs.client.post(
            f"{path}/approve", headers={"prefer": "wait=20"}
        )

    assert started.status_code == 202
    assert waiting["waiting_for"]["payload"] == PLAN
    assert approved.status_code == 200, approved.text
    assert approved.json()["result"]["report"] == REPORT


async def test_more_steps_than_allowed_are_cut(
    runs: Runs, model: ScriptedModelServer
) -> None:
    steps = [{"agent": "researcher", "instruction": f"Look {n}."} for n in range(9)]
    model.play(script({"steps": steps}))
    async with runs.working(model):
        answer = await runs.client.post(
            URL, json={"task": "Look.", "max_steps": 2}, headers={"prefer": "wait=20"}
        )

    result = answer.json()["result"]
    assert len(result["history"]) == 2
    assert result["report"] == REPORT  # the writer merges what was found


async def test_without_a_model_it_is_refused_by_name(runs: Runs) -> None:
    answer = await runs.client.post(URL, json={"task": "Report."})

    assert answer.status_code == 409
    assert answer.json()["code"] == "model_not_configured"


async def test_passages_of_another_organisation_reach_no_prompt(
    runs: Runs, model: ScriptedModelServer
) -> None:
    secret = StoredPassage("other.pdf", "The shelf life of the secret serum is 9 days.")
    runs.documents.add(OTHER_ORG_ID, secret)
    model.play(script(PLAN))
    async with runs.working(model):
        await runs.client.post(
            URL, json={"task": "Shelf life?"}, headers={"prefer": "wait=20"}
        )

    asked = json.dumps([call.body for call in model.calls.last])
    assert "30 months" in asked
    assert "secret serum" not in asked
