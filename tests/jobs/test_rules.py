from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.jobs.constants import FINISHED, JobSignal, JobState
from dossier.jobs.exceptions import JobStateError
from dossier.jobs.rules import (
    MAX_DELAY_S,
    TRANSITIONS,
    back_off_s,
    judge,
    next_state,
    on_delivery,
)

states = st.sampled_from(JobState)
events = st.sampled_from(JobSignal)
chances = st.floats(0, 1)


@pytest.mark.parametrize(
    ("failures", "expected_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (9, 256), (10, 300)]
)
def test_waits_double_up_to_five_minutes(failures: int, expected_s: int) -> None:
    assert back_off_s(failures, 0) == expected_s


@given(st.integers(1, 10_000), chances)
def test_jitter_adds_at_most_a_tenth_and_never_passes_the_cap(
    failures: int, chance: float
) -> None:
    exact_s, wait_s = back_off_s(failures, 0), back_off_s(failures, chance)

    assert exact_s <= wait_s <= min(exact_s * 1.1 + 1e-9, MAX_DELAY_S)


@given(states, events)
def test_an_event_leads_to_one_known_state_or_is_refused(
    state: JobState, event: JobSignal
) -> None:
    target = TRANSITIONS.get((event, state))

    if target is not None:
        assert next_state(state, event) is target
    else:
        with pytest.raises(JobStateError):
            next_state(state, event)


@given(st.sampled_from([JobState.DONE, JobState.CANCELLED]), events)
def test_only_a_restart_changes_a_done_or_cancelled_job(
    state: JobState, event: JobSignal
) -> None:
    left = JobState.PENDING if event is JobSignal.RESTART else state
    try:
        assert next_state(state, event) is left
    except JobStateError:
        assert not (state is JobState.CANCELLED and event is JobSignal.CANCEL)


@given(st.sampled_from([JobState.PENDING, JobState.PROCESSING, JobState.WAITING]))
def test_a_job_that_has_not_ended_can_be_cancelled(state: JobState) -> None:
    target = next_state(state, JobSignal.CANCEL)

    assert target in {JobState.CANCELLED, JobState.CANCELLING}


failures = st.fixed_dictionaries(
    {
        "failures": st.integers(0, 20),
        "max_failures": st.integers(1, 10),
        "is_cancelled": st.booleans(),
        "is_stopping": st.booleans(),
        "is_uncounted": st.booleans(),
        "is_retryable": st.booleans(),
        "retry_after_s": st.none() | st.floats(0, 10_000),
        "chance": chances,
    }
)


@given(failures)
def test_every_failure_gets_a_verdict_with_a_bounded_wait(
    failure: dict[str, Any],
) -> None:
    verdict = judge(**failure)

    assert 0 <= verdict.delay_s <= MAX_DELAY_S
    assert verdict.failures in {failure["failures"], failure["failures"] + 1}


@given(failures)
def test_a_programming_error_is_never_retried(failure: dict[str, Any]) -> None:
    verdict = judge(**failure)

    if verdict.signal is JobSignal.RETRY_LATER:
        reasons = ("is_retryable", "is_stopping", "is_uncounted")
        assert any(failure[reason] for reason in reasons)


@given(failures)
def test_a_lost_database_or_a_stopping_worker_is_not_counted(
    failure: dict[str, Any],
) -> None:
    if failure["is_uncounted"] or failure["is_stopping"]:
        assert judge(**failure).failures == failure["failures"]


def test_the_third_upstream_failure_in_a_row_is_the_last() -> None:
    verdicts = [judge(count, 3, is_retryable=True).signal for count in range(3)]

    assert verdicts == [JobSignal.RETRY_LATER, JobSignal.RETRY_LATER, JobSignal.FAIL]


def test_retry_after_of_the_other_system_sets_the_wait() -> None:
    verdict = judge(0, 3, is_retryable=True, retry_after_s=17)

    assert verdict.delay_s == 17


@given(st.sampled_from(sorted(FINISHED)), st.integers(0, 5))
def test_a_finished_job_is_not_run_again(state: JobState, count: int) -> None:
    assert on_delivery(state, count, 3) is None


def test_a_job_that_was_running_has_lost_its_worker() -> None:
    deliveries = [on_delivery(JobState.PROCESSING, count, 3) for count in range(3)]

    assert deliveries == [
        (JobSignal.START, 1),
        (JobSignal.START, 2),
        (JobSignal.FAIL, 3),
    ]


def test_a_job_that_was_asked_to_stop_is_not_started_again() -> None:
    delivery = on_delivery(JobState.CANCELLING, 1, 3)

    assert delivery == (JobSignal.CONFIRM_CANCEL, 1)


def test_a_delivery_of_a_waiting_job_is_no_lost_worker() -> None:
    assert on_delivery(JobState.WAITING, 0, 3) is None
