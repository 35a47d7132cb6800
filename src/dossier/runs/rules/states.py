"""State changes of runs, as an ordered list of small rules."""

from dataclasses import dataclass

from dossier.runs.constants import RunSignal, RunState


@dataclass(frozen=True, slots=True)
class Transition:
    """From one of these states, this signal leads there."""

    signal: RunSignal
    sources: frozenset[RunState]
    target: RunState


def _from(signal: RunSignal, *sources: RunState, to: RunState) -> Transition:
    return Transition(signal, frozenset(sources), to)


TRANSITIONS = (
    _from(
        RunSignal.CLAIM, RunState.PENDING, RunState.PROCESSING, to=RunState.PROCESSING
    ),
    _from(RunSignal.CLAIM, RunState.CANCELLING, to=RunState.CANCELLING),
    # What was done before the wish to stop arrived is done.
    _from(
        RunSignal.COMPLETE,
        RunState.PROCESSING,
        RunState.CANCELLING,
        to=RunState.COMPLETED,
    ),
    _from(RunSignal.FAIL, RunState.PROCESSING, RunState.CANCELLING, to=RunState.FAILED),
    _from(RunSignal.CANCEL, RunState.PENDING, RunState.WAITING, to=RunState.CANCELLED),
    _from(
        RunSignal.CANCEL,
        RunState.PROCESSING,
        RunState.CANCELLING,
        to=RunState.CANCELLING,
    ),
    _from(RunSignal.CONFIRM_CANCEL, RunState.CANCELLING, to=RunState.CANCELLED),
)


def next_state(state: RunState, signal: RunSignal) -> RunState:
    """Return where a signal leads; where it leads nowhere, the run stays as it is."""
    for rule in TRANSITIONS:
        if rule.signal is signal and state in rule.sources:
            return rule.target
    return state


def is_abandoned(losses_count: int, max_attempts: int) -> bool:
    """Tell whether too many processes have died in a run to try it once more."""
    return losses_count >= max_attempts
