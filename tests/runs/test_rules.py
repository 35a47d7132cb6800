"""States, and events as they travel and are put together again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dossier.runs.constants import FINISHED, RunSignal, RunState
from dossier.runs.rules.events import (
    RunEvent,
    batch_of,
    make_event,
    surviving,
    unfolded,
)
from dossier.runs.rules.states import is_abandoned, next_state

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(max_examples=20)
@given(st.lists(st.dictionaries(st.text(), JSON), min_size=1, max_size=3))
def test_stored_events_come_back_byte_for_byte(
    payloads: list[dict[str, object]],
) -> None:
    events = [
        make_event(number, "a.b", data) for number, data in enumerate(payloads, 1)
    ]

    assert unfolded(batch_of(events).events) == events


@given(st.text(st.characters()))  # halves of characters too
def test_any_text_travels_on_one_line(text: str) -> None:
    event = make_event(7, "a.delta", {"delta": text})

    assert event.frame.count(b"\n") == 4
    assert event.frame.endswith(b"\n\n")
    assert event.data["delta"] == text.encode("utf-8", "replace").decode()


def test_data_cannot_pretend_to_be_another_event() -> None:
    event = make_event(7, "a", {"sequence_number": 8, "type": "b"})

    assert event.data == {"type": "a", "sequence_number": 7}


@pytest.mark.parametrize("kind", ["", "a\nb", "a b", "a: b", "x" * 81])
def test_type_that_would_break_the_stream_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        make_event(1, kind, {})


def test_stored_row_is_read_from_the_middle() -> None:
    events = [make_event(number, "a", {}) for number in (4, 5, 6)]
    row = batch_of(events)

    assert (row.first_sequence, row.last_sequence) == (4, 6)
    assert unfolded(row.events, after=4) == events[1:]


def restarted(number: int, through: int) -> RunEvent:
    return make_event(number, "run.restarted", {"kept_through": through})


def plain(*numbers: int) -> list[RunEvent]:
    return [make_event(number, "a", {}) for number in numbers]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (plain(1, 2, 3), [1, 2, 3]),
        ([*plain(1, 2, 3), restarted(501, 2), *plain(502)], [1, 2, 501, 502]),
        ([*plain(1, 2), restarted(501, 0), *plain(502)], [501, 502]),
        (
            [*plain(1), restarted(501, 1), *plain(502, 503), restarted(1001, 502)],
            [1, 501, 502, 1001],
        ),
        ([*plain(1), restarted(501, 1), *plain(502), restarted(1001, 1)], [1, 1001]),
    ],
)
def test_client_drops_what_is_made_anew(
    events: list[RunEvent], expected: list[int]
) -> None:
    assert [event.sequence_number for event in surviving(events)] == expected


@pytest.mark.parametrize("signal", list(RunSignal))
@pytest.mark.parametrize("state", sorted(FINISHED))
def test_what_is_over_stays_as_it_is(state: RunState, signal: RunSignal) -> None:
    assert next_state(state, signal) is state


@pytest.mark.parametrize(
    ("state", "signal", "expected"),
    [
        (RunState.PENDING, RunSignal.CLAIM, RunState.PROCESSING),
        (RunState.CANCELLING, RunSignal.CLAIM, RunState.CANCELLING),
        (RunState.PENDING, RunSignal.CANCEL, RunState.CANCELLED),
        (RunState.WAITING, RunSignal.CANCEL, RunState.CANCELLED),
        (RunState.PROCESSING, RunSignal.CANCEL, RunState.CANCELLING),
        (RunState.CANCELLING, RunSignal.CANCEL, RunState.CANCELLING),
        (RunState.CANCELLING, RunSignal.COMPLETE, RunState.COMPLETED),
        (RunState.CANCELLING, RunSignal.CONFIRM_CANCEL, RunState.CANCELLED),
        (RunState.PROCESSING, RunSignal.FAIL, RunState.FAILED),
        (RunState.PROCESSING, RunSignal.CONFIRM_CANCEL, RunState.PROCESSING),
    ],
)
def test_signal_leads_to_a_state(
    state: RunState, signal: RunSignal, expected: RunState
) -> None:
    assert next_state(state, signal) is expected


@pytest.mark.parametrize(
    ("losses", "patience", "expected"), [(0, 1, False), (1, 1, True), (2, 3, False)]
)
def test_run_is_given_up_after_so_many_lost_processes(
    losses: int,
    patience: int,
    expected: bool,  # noqa: FBT001 - a table
) -> None:
    assert is_abandoned(losses, patience) is expected
