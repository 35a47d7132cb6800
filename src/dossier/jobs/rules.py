"""State changes and retries of jobs."""

from typing import Final, NamedTuple

from dossier.jobs.constants import FINISHED, JobSignal, JobState
from dossier.jobs.exceptions import JobStateError

MAX_DELAY_S = 300
JITTER = 0.1
UNCOUNTED_DELAY_S = 0.2


TRANSITIONS: Final = {
    (JobSignal.START, JobState.PENDING): JobState.PROCESSING,
    # Its worker was lost: another attempt begins.
    (JobSignal.START, JobState.PROCESSING): JobState.PROCESSING,
    (JobSignal.FINISH, JobState.PROCESSING): JobState.DONE,
    # The work was finished before the cancellation arrived.
    (JobSignal.FINISH, JobState.CANCELLING): JobState.DONE,
    (JobSignal.FAIL, JobState.PENDING): JobState.FAILED,
    (JobSignal.FAIL, JobState.PROCESSING): JobState.FAILED,
    (JobSignal.FAIL, JobState.CANCELLING): JobState.CANCELLED,
    (JobSignal.RETRY_LATER, JobState.PROCESSING): JobState.PENDING,
    (JobSignal.RETRY_LATER, JobState.CANCELLING): JobState.CANCELLED,
    (JobSignal.CANCEL, JobState.PENDING): JobState.CANCELLED,
    (JobSignal.CANCEL, JobState.WAITING): JobState.CANCELLED,
    (JobSignal.CANCEL, JobState.PROCESSING): JobState.CANCELLING,
    # A second request to cancel is not an error.
    (JobSignal.CANCEL, JobState.CANCELLING): JobState.CANCELLING,
    (JobSignal.CANCEL, JobState.CANCELLED): JobState.CANCELLED,
    (JobSignal.CONFIRM_CANCEL, JobState.PROCESSING): JobState.CANCELLED,
    (JobSignal.CONFIRM_CANCEL, JobState.CANCELLING): JobState.CANCELLED,
    (JobSignal.REDRIVE, JobState.FAILED): JobState.PENDING,
    # A handler that waits for a person ends its attempt.
    (JobSignal.SUSPEND, JobState.PROCESSING): JobState.WAITING,
    (JobSignal.RESUME, JobState.WAITING): JobState.PENDING,
    # A kind whose finished steps are kept may run again from one of them.
    (JobSignal.RESTART, JobState.FAILED): JobState.PENDING,
    (JobSignal.RESTART, JobState.CANCELLED): JobState.PENDING,
    (JobSignal.RESTART, JobState.DONE): JobState.PENDING,
}
"""The state that follows from a signal and a state; no other pair is allowed."""


def next_state(state: JobState, signal: JobSignal) -> JobState:
    """Return the state that follows, or raise `JobStateError`."""
    target = TRANSITIONS.get((signal, state))
    if target is None:
        is_retry = signal in (JobSignal.REDRIVE, JobSignal.RESTART)
        action = "be retried" if is_retry else signal
        message = f"A job that is {state} cannot {action.replace('_', ' ')}."
        raise JobStateError(message)
    return target


def back_off_s(failures: int, chance: float) -> float:
    """Return the wait after the n-th failure in a row: 1, 2, 4, 8 … at most 300 s.

    Args:
        failures: Failures in a row, this one included.
        chance: A number from 0 to 1 that spreads the waits by up to a tenth.
    """
    base_s = float(min(1 << min(failures - 1, 16), MAX_DELAY_S))
    return min(base_s * (1 + JITTER * chance), MAX_DELAY_S)


class AttemptVerdict(NamedTuple):
    """What follows from an attempt that ended without success."""

    signal: JobSignal
    failures: int
    delay_s: float = 0.0


def judge(
    failures: int,
    max_failures: int,
    *,
    is_cancelled: bool = False,
    is_stopping: bool = False,
    is_uncounted: bool = False,
    is_retryable: bool = False,
    retry_after_s: float | None = None,
    chance: float = 0.0,
) -> AttemptVerdict:
    """Return what follows from an attempt that ended without success.

    Args:
        failures: In a row and without progress, this one not yet counted.
        max_failures: How many fail the job.
        is_cancelled: A person, or the absence of readers, ended it.
        is_stopping: The worker process ends.
        is_uncounted: The database was away, or the attempt could not store its events.
        is_retryable: The fault of another system, which may pass.
        retry_after_s: What that system asked for.
        chance: A number from 0 to 1 that spreads the waits.
    """
    if is_cancelled:
        return AttemptVerdict(JobSignal.CONFIRM_CANCEL, failures)
    if is_stopping:
        return AttemptVerdict(JobSignal.RETRY_LATER, failures)
    if is_uncounted:
        return AttemptVerdict(JobSignal.RETRY_LATER, failures, UNCOUNTED_DELAY_S)
    count = failures + 1
    if not is_retryable or count >= max_failures:
        return AttemptVerdict(JobSignal.FAIL, count)
    delay_s = back_off_s(count, chance) if retry_after_s is None else retry_after_s
    return AttemptVerdict(JobSignal.RETRY_LATER, count, min(delay_s, MAX_DELAY_S))


def on_delivery(
    state: JobState, deaths: int, max_deaths: int
) -> tuple[JobSignal, int] | None:
    """Return the signal and the deaths of workers that a delivery means for a job.

    `None` where there is nothing to run. A job that is delivered while it is
    `processing` has lost its worker.
    """
    if state in FINISHED or state is JobState.WAITING:
        return None
    if state is JobState.CANCELLING:
        return JobSignal.CONFIRM_CANCEL, deaths
    if state is JobState.PENDING:
        return JobSignal.START, deaths
    lost = deaths + 1
    return JobSignal.FAIL if lost >= max_deaths else JobSignal.START, lost
