"""What processes tell each other of runs, as one of them hears it."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from dossier.core.listening import Listener
from dossier.runs.constants import CHANNEL, SIGNED, Verb
from dossier.runs.service.held import HeldRuns
from dossier.runs.service.live import Stop
from dossier.runs.service.partings import Partings


class News:
    """Hears what others did, and wakes whom it concerns."""

    def __init__(
        self,
        database_url: str,
        own_id: UUID,
        held: HeldRuns,
        partings: Partings,
        on_due: Callable[[], None],
    ) -> None:
        self.access_changes = 0
        """How often somebody may have lost the right to follow a run."""
        self.listener = Listener(database_url, on_return=self._look_again)
        self._own = own_id.hex
        self._held = held
        self._on_due = on_due
        self._talk: dict[str, Callable[[UUID], None]] = {
            Verb.READERS: partings.heard_question,
            Verb.READ: partings.heard_reader,
        }

    async def listen(self) -> None:
        """Begin to hear."""
        await self.listener.add(CHANNEL, self._heard)

    def _heard(self, payload: str) -> None:
        verb, *ids = payload.split()
        if verb == Verb.DUE:
            self._on_due()
        if verb in SIGNED and ids.pop(0) == self._own:
            return  # what this process knows without being told
        hear = self._talk.get(verb) or partial(self._heard_of, verb)
        for run_id in map(UUID, ids):
            hear(run_id)

    def _heard_of(self, verb: str, run_id: UUID) -> None:
        live = self._held.get(run_id)
        if verb == Verb.ACCESS:
            self.access_changes += 1
        if live is None or verb == Verb.ACCESS:
            self._held.readers.wake(run_id)
        elif verb == Verb.CANCEL:
            live.ask_to_stop(Stop.CANCEL)
        if verb in {Verb.ENDED, Verb.CANCEL}:
            self._held.waiters.wake(run_id)

    def _look_again(self) -> None:
        """Look for what was told while nobody listened."""
        self.access_changes += 1
        self._held.wake_all()
        self._on_due()
        self._held.mark_all()
        self._held.writer.hurry()
