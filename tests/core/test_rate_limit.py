import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.edge import Clock

from dossier.core import rate_limit
from dossier.core.rate_limit import PERIOD_S, RateLimiter, RateWindows


def limiter_of(quota: int, clock: Clock) -> RateLimiter:
    return RateLimiter(quota, clock)


@given(
    quota=st.integers(1, 20),
    steps_s=st.lists(st.integers(0, 90), min_size=1, max_size=60),
)
def test_no_window_lets_more_through_than_its_quota(
    quota: int, steps_s: list[int]
) -> None:
    clock = Clock()
    limiter = limiter_of(quota, clock)
    allowed: dict[int, int] = {}

    for step_s in steps_s:
        clock.now_s += step_s
        state = limiter.check("/things", "mei")
        assert state is not None
        assert 1 <= state.reset_s <= PERIOD_S
        assert 0 <= state.remaining < quota or not state.is_allowed
        allowed[state.reset_at_s] = allowed.get(state.reset_at_s, 0) + state.is_allowed

    assert max(allowed.values()) <= quota


def test_quota_comes_back_after_the_window() -> None:
    clock = Clock()
    limiter = limiter_of(1, clock)
    limiter.check("/things", "mei")

    refused = limiter.check("/things", "mei")
    clock.now_s += PERIOD_S
    allowed = limiter.check("/things", "mei")

    assert refused is not None
    assert allowed is not None
    assert (refused.is_allowed, allowed.is_allowed) == (False, True)


def test_callers_are_counted_apart() -> None:
    limiter = limiter_of(1, Clock())
    limiter.check("/things", "mei")

    state = limiter.check("/things", "lin")

    assert state is not None
    assert state.is_allowed


def test_zero_switches_the_limit_off() -> None:
    assert limiter_of(0, Clock()).check("/things", "mei") is None


def test_windows_stay_bounded_and_the_newest_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limit, "MAX_COUNTERS", 10)
    windows = RateWindows(Clock())

    for number in range(100):
        windows.hit(f"caller-{number}")

    assert len(windows) <= 10
    assert windows.hit("caller-99").hits == 2


def test_ended_windows_make_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_COUNTERS", 3)
    clock = Clock()
    windows = RateWindows(clock)
    for name in ("old-1", "old-2"):
        windows.hit(name)
    clock.now_s += PERIOD_S - 1
    windows.hit("live")
    clock.now_s += 5

    windows.hit("new")

    assert len(windows) == 2
    assert windows.hit("live").hits == 2
