"""Answers of a model: quotes that stand, refusals, and lures that catch nothing."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evals import injected
from benchmarks.evals.desk import Desk, open_desk
from benchmarks.evals.papers import ANSWERABLE, PAPERS, UNANSWERABLE

from dossier.chat.constants import ANSWER_JOB
from dossier.chat.schemas import ChatResponse
from dossier.core.database import make_engine, make_sessions
from dossier.core.settings import Settings
from dossier.core.startup import Database
from dossier.jobs.follower import JobFollower
from dossier.testing.model_server.server import ScriptedModelServer, scripted_model
from dossier.worker import answering, make_worker, running

REFUSALS = ("This was not found", "在您的文件中找不到")


async def measure(url: str, home: Path) -> dict[str, Any]:
    """Return what became of questions, refusals and lures."""
    async with _servers() as (ai, server):
        settings = _settings(url, home, ai)
        engine = make_engine(url)
        database = Database(url, engine, make_sessions(engine))
        try:
            async with (
                answering(settings, database) as (_searchers, pipeline),
                running(
                    make_worker(settings, database, {ANSWER_JOB: pipeline}, timers=[])
                ),
                JobFollower(database.sessions, url) as follower,
            ):
                open_ = partial(open_desk, database.sessions, follower)
                desk = await open_(PAPERS)
                return {
                    "server": "scripted" if server else "real",
                    "model": await _questions(desk, "auto"),
                    "extractive": await _questions(desk, "extractive"),
                    "injection": await injected.measure(open_, server, "auto"),
                    "injection_extractive": await injected.measure(
                        open_, server, "extractive"
                    ),
                }
        finally:
            await engine.dispose()


@asynccontextmanager
async def _servers() -> AsyncIterator[
    tuple[dict[str, Any], ScriptedModelServer | None]
]:
    if os.environ.get("EVAL_REAL"):
        yield Settings().ai.model_dump(), None
        return
    async with scripted_model() as server:
        yield {"base_url": server.base_url, "model": "scripted"}, server


def _settings(url: str, home: Path, ai: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {
            "home": home,
            "database": {"url": url, "migrate_on_start": False},
            "ai": ai,
            "chat": {"cache_days": 0},
        }
    )


async def _questions(desk: Desk, engine: str) -> dict[str, Any]:
    answers = [
        (await desk.ask(question, engine), words) for question, words in ANSWERABLE
    ]
    refused = [await desk.ask(question, engine) for question in UNANSWERABLE]
    quotes = [c for answered, _words in answers for c in answered.citations]
    right = [words in answered.ai_response for answered, words in answers]
    return {
        "questions": len(answers),
        "answered_rightly": _share(right),
        "quotes": len(quotes),
        "quotes_verbatim": _share([desk.is_verbatim(quote) for quote in quotes]),
        "dropped_claims": sum(a.dropped_claims for a, _words in answers),
        "unanswerable": len(refused),
        "refused": _share([_is_refusal(each) for each in refused]),
    }


def _is_refusal(answered: ChatResponse) -> bool:
    text = answered.ai_response
    return text.startswith(REFUSALS) or not answered.citations


def _share(held: list[bool]) -> float:
    return round(sum(held) / max(1, len(held)), 4)
