"""Events of an answer: their names, the data of a response, and their replay.

Names and data are those of OpenAI's Responses. Clients assemble a text by the rule of
`dossier.jobs.events.surviving`: deltas in order, and after `run.restarted` nothing that
came after `kept_through`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from dossier.jobs.types import JobEvent

CREATED: Final = "response.created"
IN_PROGRESS: Final = "response.in_progress"
SEARCH_STARTED: Final = "response.file_search_call.in_progress"
SEARCHING: Final = "response.file_search_call.searching"
SEARCHED: Final = "response.file_search_call.completed"
ITEM_ADDED: Final = "response.output_item.added"
DELTA: Final = "response.output_text.delta"
ANNOTATION: Final = "response.output_text.annotation.added"
TEXT_DONE: Final = "response.output_text.done"
ITEM_DONE: Final = "response.output_item.done"
RESPONSE_COMPLETED: Final = "response.completed"
INCOMPLETE: Final = "response.incomplete"
FAILED: Final = "response.failed"

CANCELLED = "cancelled"


def response_data(run_id: UUID, status: str, **more: Any) -> dict[str, Any]:
    """Return the part of an event that describes its run."""
    response = {"id": str(run_id), "object": "response", "status": status, **more}
    return {"response": response}


def cancelled_data(run_id: UUID) -> dict[str, Any]:
    """Return the data of the last event of a cancelled run."""
    details = {"reason": CANCELLED}
    data = response_data(run_id, "incomplete", incomplete_details=details)
    return data | {"reason": CANCELLED}


def failed_data(run_id: UUID, problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of the last event of a failed run."""
    error = {"code": problem.get("code"), "message": problem.get("detail")}
    return response_data(run_id, "failed", error=error) | {"error": dict(problem)}


@dataclass(slots=True)
class CitedDelta:
    """One delta with the citations that prove it."""

    text: str
    announced: int
    """How many citations the delta announced."""
    through: int
    """Number of the last event that belongs to it."""
    citations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Return whether all its citations were stored."""
        return len(self.citations) == self.announced

    @property
    def sentence(self) -> str:
        """Return the sentence without the numbers of its passages."""
        numbers = dict.fromkeys(each["number"] for each in self.citations)
        marks = "".join(f" [{number}]" for number in numbers)
        return self.text.strip("\n").removesuffix(marks)


@dataclass(slots=True)
class Replay:
    """An answer as far as it was stored."""

    announced_through: int = 0
    """Number of the last event before the search."""
    searched: Mapping[str, Any] | None = None
    """Data of the event that named the passages."""
    searched_through: int = 0
    added_through: int = 0
    """Number of the event that opened the text; 0: there is none."""
    deltas: list[CitedDelta] = field(default_factory=list)
    label: Mapping[str, Any] | None = None
    """How the text was made."""

    @property
    def text(self) -> str:
        """Return the text as clients have it."""
        return "".join(delta.text for delta in self.deltas)

    @property
    def citations(self) -> list[dict[str, Any]]:
        """Return the citations, in their order."""
        return [citation for delta in self.deltas for citation in delta.citations]

    def without_incomplete_delta(self) -> "Replay":
        """Return the same without a last delta whose citations were lost."""
        return replace(self, deltas=[delta for delta in self.deltas if delta.is_whole])

    @property
    def through(self) -> int:
        """Return the number of the last event that counts."""
        last = self.deltas[-1].through if self.deltas else 0
        return max(last, self.added_through, self.before_text)

    @property
    def before_text(self) -> int:
        """Return the number of the last event before the text."""
        return max(self.announced_through, self.searched_through)


def replay(events: Iterable[JobEvent]) -> Replay:
    """Return the answer that surviving events describe."""
    answer = Replay()
    for event in events:
        number, data = event.sequence_number, event.data
        if event.type in {CREATED, IN_PROGRESS}:
            answer.announced_through = number
        elif event.type == SEARCHED:
            answer.searched, answer.searched_through = data, number
        elif event.type == ITEM_ADDED:
            answer.added_through, answer.label = number, data.get("engine")
        elif event.type == DELTA:
            announced = data.get("annotations", 0)
            answer.deltas.append(CitedDelta(data["delta"], announced, number))
        elif event.type == ANNOTATION and answer.deltas:
            answer.deltas[-1].citations.append(dict(data["annotation"]))
            answer.deltas[-1].through = number
    return answer
