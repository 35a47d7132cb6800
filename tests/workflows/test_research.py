"""The kind `research`: evidence from sources, and a report from it alone."""

import json
from typing import Any

from starlette.responses import Response
from tests.workflows.conftest import Runs

from dossier.core.settings import SourcesSettings
from dossier.testing.model_server.script import Rule, Script
from dossier.testing.model_server.server import ScriptedModelServer
from dossier.testing.source_server import ABSTRACT, SourceTwin
from dossier.workflows.kinds.research import (
    EvidenceRow,
    Statement,
    Statements,
    supported,
)

URL = "/api/v1/workflows/research"
TOPIC = "Is niacinamide stable in a cream?"


async def run_research(runs: Runs, **body: Any) -> dict[str, Any]:
    answer = await runs.client.post(
        URL, json={"topic": TOPIC, **body}, headers={"prefer": "wait=20"}
    )
    assert answer.status_code == 200, answer.text
    run: dict[str, Any] = answer.json()
    return run


async def test_without_a_model_sources_are_quoted_in_their_rank(
    runs: Runs, twin: SourceTwin
) -> None:
    runs.sources = SourcesSettings(mode="live", base_urls=twin.base_urls)
    async with runs.working():
        run = await run_research(runs, sources=["arxiv", "pubmed", "tavily", "pubchem"])

    result = run["result"]
    assert run["engine"] == "rules"
    assert result["gaps"] == []
    assert [row["source"] for row in result["evidence"]] == [
        "tavily",
        "pubmed",
        "pubchem",
        "arxiv",
    ]
    assert result["statements"][0]["quote"] == ABSTRACT
    assert all(row["sha256"] and row["retrieved_at"] for row in result["evidence"])


async def test_source_that_fails_or_is_not_asked_is_a_gap(
    runs: Runs, twin: SourceTwin
) -> None:
    twin.instead["arxiv"] = Response(status_code=500)
    runs.sources = SourcesSettings(mode="live", base_urls=twin.base_urls)
    async with runs.working():
        failed = await run_research(runs, sources=["arxiv", "pubchem"])
    runs.sources = SourcesSettings()
    async with runs.working():
        offline = await run_research(runs, sources=["arxiv"], max_results=3)

    assert failed["status"] == "completed"
    assert [row["source"] for row in failed["result"]["evidence"]] == ["pubchem"]
    assert failed["result"]["gaps"] == [f"arxiv: arxiv answered 500. ({TOPIC})"]
    assert "DOSSIER_SOURCES__MODE" in offline["result"]["gaps"][0]


async def test_own_documents_are_a_source(runs: Runs) -> None:
    async with runs.working():
        run = await run_research(
            runs, topic="shelf life of the rose cream", sources=["documents"]
        )

    [row] = run["result"]["evidence"]
    assert row["place"] == "stability.pdf, page 3"
    assert row["url"] is None


async def test_model_plans_and_only_supported_statements_are_kept(
    runs: Runs, model: ScriptedModelServer, twin: SourceTwin
) -> None:
    plan = {
        "questions": [
            {"question": "Stable?", "source": "pubmed", "query": "niacinamide"},
            {"question": "Elsewhere?", "source": "wikipedia", "query": "niacinamide"},
        ]
    }
    true_quote = "its content fell by 1.8 %"
    report = {
        "statements": [
            {"text": "It fell by 1.8 %.", "rows": [1], "quote": true_quote},
            {"text": "It rose.", "rows": [1], "quote": "its content rose by 9 %"},
            {"text": "It cures eczema.", "rows": [1], "quote": true_quote},
        ]
    }
    model.play(
        Script(
            rules=(
                Rule(when='"evidence"', tool="final_result", arguments=report),
                Rule(when='"sources"', tool="final_result", arguments=plan),
            ),
        )
    )
    runs.sources = SourcesSettings(mode="live", base_urls=twin.base_urls)
    async with runs.working(model):
        run = await run_research(runs, sources=["pubmed"])

    result = run["result"]
    assert run["status"] == "completed", run
    assert [each["text"] for each in result["statements"]] == ["It fell by 1.8 %."]
    assert result["dropped"] == 2
    assert twin.calls["wikipedia"] == 0  # it was not among the wanted sources
    assert run["cost"]["requests"] >= 2


def test_quote_must_stand_in_one_of_its_rows() -> None:
    rows = [
        EvidenceRow(
            source="pubmed",
            title=str(number),
            quote=f"The content fell by {number}.8 %.",
            retrieved_at="2026-01-01T00:00:00Z",
            rank=3,
        )
        for number in (1, 2)
    ]

    kept = supported(
        Statements(
            statements=[
                Statement(text="a", rows=[2], quote="fell by 1.8 %"),
                Statement(text="b", rows=[1, 9], quote="fell  by 1.8 %"),
                Statement(text="c", rows=[1], quote=" "),
            ]
        ),
        rows,
    )

    assert [(each.text, each.rows) for each in kept] == [("b", [1])]


async def test_export_holds_no_live_markup_of_sources(
    runs: Runs, twin: SourceTwin
) -> None:
    hostile = {
        "results": [
            {
                "title": "<script>x</script> [a](javascript:b)",
                "url": "https://example.com/a",
                "content": "![p](http://evil.example/p.png) words",
            }
        ]
    }
    twin.instead["tavily"] = Response(
        json.dumps(hostile), media_type="application/json"
    )
    runs.sources = SourcesSettings(mode="live", base_urls=twin.base_urls)
    async with runs.working():
        run = await run_research(runs, sources=["tavily"])
    path = f"/api/v1/workflows/{run['workflow_id']}/export"
    html = (await runs.client.get(path, params={"format": "html"})).text
    markdown = (await runs.client.get(path)).text
    data = (await runs.client.get(path, params={"format": "json"})).json()

    assert "<script" not in html.replace("&lt;script", "")
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert 'href="https://example.com/a"' in html
    assert "\\!\\[p\\]" in markdown
    assert data == run["result"]
