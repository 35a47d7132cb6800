"""State changes and retries of jobs, as ordered lists of small rules."""

from collections.abc import Callable
from dataclasses import dataclass

from dossier.jobs.constants import FINISHED, JobSignal, JobState
from dossier.jobs.exceptions import JobStateError

MAX_DELAY_S = 300
JITTER = 0.1
UNCOUNTED_DELAY_S = 0.2


@dataclass(frozen=True, slots=True)
class Transition:
    """From one of these states, this event leads there."""

    signal: JobSignal
    sources: frozenset[JobState]
    target: JobState


def _from(signal: JobSignal, *sources: JobState, to: JobState) -> Transition:
    return Transition(signal, frozenset(sources), to)


TRANSITIONS = (
    _from(JobSignal.START, JobState.PENDING, to=JobState.PROCESSING),
    # Its worker was lost: the next one starts it anew.
    _from(JobSignal.START, JobState.PROCESSING, to=JobState.PROCESSING),
    # Work that was done before the cancellation arrived is done.
    _from(JobSignal.FINISH, JobState.PROCESSING, JobState.CANCELLING, to=JobState.DONE),
    _from(JobSignal.FAIL, JobState.PENDING, JobState.PROCESSING, to=JobState.FAILED),
    _from(JobSignal.FAIL, JobState.CANCELLING, to=JobState.CANCELLED),
    _from(JobSignal.RETRY_LATER, JobState.PROCESSING, to=JobState.PENDING),
    _from(JobSignal.RETRY_LATER, JobState.CANCELLING, to=JobState.CANCELLED),
    _from(JobSignal.CANCEL, JobState.PENDING, JobState.WAITING, to=JobState.CANCELLED),
    _from(JobSignal.CANCEL, JobState.PROCESSING, to=JobState.CANCELLING),
    # Asking twice is not an error.
    _from(JobSignal.CANCEL, JobState.CANCELLING, to=JobState.CANCELLING),
    _from(JobSignal.CANCEL, JobState.CANCELLED, to=JobState.CANCELLED),
    _from(
        JobSignal.CONFIRM_CANCEL,
        JobState.PROCESSING,
        JobState.CANCELLING,
        to=JobState.CANCELLED,
    ),
    _from(JobSignal.REDRIVE, JobState.FAILED, to=JobState.PENDING),
)


def next_state(state: JobState, signal: JobSignal) -> JobState:
    """Return where an event leads, or raise where it is not allowed."""
    for rule in TRANSITIONS:
        if rule.signal is signal and state in rule.sources:
            return rule.target
    message = f"A job that is {state} cannot {signal.replace('_', ' ')}."
    raise JobStateError(message)


def back_off_s(failures: int, chance: float) -> float:
    """Return the wait after the n-th failure in a row: 1, 2, 4, 8 … at most 300 s.

    Args:
        failures: Failures in a row, this one included.
        chance: A number from 0 to 1 that spreads the waits by up to a tenth.
    """
    base_s = float(min(1 << min(failures - 1, 16), MAX_DELAY_S))
    return min(base_s * (1 + JITTER * chance), MAX_DELAY_S)


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known when a run ended without success."""

    failures: int
    """In a row and without progress, this one not yet counted."""
    max_failures: int
    is_cancelled: bool = False
    is_stopping: bool = False
    """The worker process ends."""
    is_uncounted: bool = False
    """The database was away, or the attempt could not store its events."""
    is_retryable: bool = False
    retry_after_s: float | None = None
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a failure."""

    signal: JobSignal
    failures: int
    delay_s: float = 0.0


Rule = Callable[[Failure], Verdict | None]


def _confirm_cancel(failure: Failure) -> Verdict | None:
    if not failure.is_cancelled:
        return None
    return Verdict(JobSignal.CONFIRM_CANCEL, failure.failures)


def _queue_again(failure: Failure) -> Verdict | None:
    if not failure.is_stopping:
        return None
    return Verdict(JobSignal.RETRY_LATER, failure.failures)


def _retry_uncounted(failure: Failure) -> Verdict | None:
    if not failure.is_uncounted:
        return None
    return Verdict(JobSignal.RETRY_LATER, failure.failures, UNCOUNTED_DELAY_S)


def _retry_upstream_alone(failure: Failure) -> Verdict | None:
    if failure.is_retryable:
        return None
    return Verdict(JobSignal.FAIL, failure.failures + 1)


def _give_up(failure: Failure) -> Verdict | None:
    if failure.failures + 1 < failure.max_failures:
        return None
    return Verdict(JobSignal.FAIL, failure.failures + 1)


def _retry_later(failure: Failure) -> Verdict:
    count = failure.failures + 1
    delay_s = failure.retry_after_s
    if delay_s is None:
        delay_s = back_off_s(count, failure.chance)
    return Verdict(JobSignal.RETRY_LATER, count, min(delay_s, MAX_DELAY_S))


RULES: tuple[Rule, ...] = (
    _confirm_cancel,
    _queue_again,
    _retry_uncounted,
    _retry_upstream_alone,
    _give_up,
    _retry_later,
)


def judge(failure: Failure) -> Verdict:
    """Return the first verdict that a rule gives."""
    return next(verdict for rule in RULES if (verdict := rule(failure)) is not None)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery means for a job."""

    signal: JobSignal
    deaths: int
    """Of workers that ran the job, one found now included."""


def on_delivery(state: JobState, deaths: int, max_deaths: int) -> Delivered | None:
    """Return what a delivery means for a job, or `None` where there is nothing to run.

    A job that is delivered while it is `processing` has lost its worker.
    """
    if state in FINISHED or state is JobState.WAITING:
        return None
    if state is JobState.CANCELLING:
        return Delivered(JobSignal.CONFIRM_CANCEL, deaths)
    if state is JobState.PENDING:
        return Delivered(JobSignal.START, deaths)
    lost = deaths + 1
    signal = JobSignal.FAIL if lost >= max_deaths else JobSignal.START
    return Delivered(signal, lost)
