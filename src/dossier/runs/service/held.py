"""The runs that one process has in hand, and who in it waits for news of them."""

from collections.abc import Collection
from uuid import UUID

from dossier.core.database import SessionFactory
from dossier.runs.models import Run
from dossier.runs.ports import Holder
from dossier.runs.service.circle import Circle
from dossier.runs.service.live import Live, Stop
from dossier.runs.service.tape import Tape
from dossier.runs.service.writer import Writer


class HeldRuns:
    """Takes runs into hand and lets go of them; whoever waits hears of both."""

    def __init__(
        self, sessions: SessionFactory, holder: Holder, batch_s: float
    ) -> None:
        self.readers = Circle()
        """Who wants events."""
        self.waiters = Circle()
        """Who wants the end."""
        self.writer = Writer(sessions, holder, batch_s, self._wake_readers)
        self._lives: dict[UUID, Live] = {}

    @property
    def lives(self) -> Collection[Live]:
        """Return the runs in hand."""
        return self._lives.values()

    def get(self, run_id: UUID) -> Live | None:
        """Return a run, where it is in hand."""
        return self._lives.get(run_id)

    def tape_of(self, run_id: UUID) -> Tape | None:
        """Return the events of a run, where it is in hand."""
        live = self._lives.get(run_id)
        return None if live is None else live.tape

    def take(self, run: Run) -> Live:
        """Take a run that its row gives to this process."""
        tape = Tape(
            run.id,
            run.reserved_through,
            self.readers.hold(run.id),
            self._note_unstored,
        )
        live = Live(run, tape, run.epoch)
        if run.epoch > 1:
            live.restart_from = run.stored_through
            tape.stored_through = tape.last
        self._lives[run.id] = live
        self.readers.wake(run.id)
        return live

    def drop(self, live: Live) -> None:
        """Let go of a run that nobody works on, unless it is about to be given back."""
        if live.stop is not Stop.HAND_OVER:
            self.forget(live)

    def forget(self, live: Live) -> None:
        """Let go of a run that is over, or not ours any more."""
        if not live.over.is_set():
            live.tape.lose()
        if self._lives.get(live.run_id) is live:
            del self._lives[live.run_id]
            self.readers.let_go(live.run_id)
        self.readers.wake(live.run_id)
        self.waiters.wake(live.run_id)

    def mark_all(self) -> None:
        """Have all leases renewed."""
        for live in self._lives.values():
            self.writer.mark(live)

    def wake_all(self) -> None:
        """Have everybody look."""
        self.readers.wake_all()
        self.waiters.wake_all()

    def _note_unstored(self, tape: Tape) -> None:
        self.writer.mark(self._lives[tape.run_id])
        if tape.last > tape.reserved_through:
            self.writer.hurry()

    def _wake_readers(self, live: Live) -> None:
        self.readers.wake(live.run_id)
