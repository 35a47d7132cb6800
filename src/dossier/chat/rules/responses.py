"""Data of the events that describe an answer: the `response` of OpenAI's Responses."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

CANCELLED = "cancelled"


def response_data(run_id: UUID, status: str, **more: Any) -> dict[str, Any]:
    """Return the part of an event that describes its run."""
    response = {"id": str(run_id), "object": "response", "status": status, **more}
    return {"response": response}


def cancelled_data(run_id: UUID) -> dict[str, Any]:
    """Return the last event of a run that somebody cancelled."""
    details = {"reason": CANCELLED}
    data = response_data(run_id, "incomplete", incomplete_details=details)
    return data | {"reason": CANCELLED}


def failed_data(run_id: UUID, problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return the last event of a run that failed."""
    error = {"code": problem.get("code"), "message": problem.get("detail")}
    return response_data(run_id, "failed", error=error) | {"error": dict(problem)}
