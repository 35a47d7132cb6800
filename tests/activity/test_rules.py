import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.activity.constants import GENESIS_HASH
from dossier.activity.exceptions import UnhashableDetailError
from dossier.activity.rules import (
    ChainWalk,
    chain_hash,
    row_hash,
)
from dossier.activity.types import ChainLink

leaves = st.none() | st.booleans() | st.integers() | st.text()
details = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), details))
def test_the_order_of_keys_does_not_change_the_hash(row: dict[str, Any]) -> None:
    assert row_hash(dict(reversed(row.items()))) == row_hash(row)


@given(st.text(), st.text())
def test_different_content_has_a_different_hash(one: str, other: str) -> None:
    same = row_hash({"details": one}) == row_hash({"details": other})

    assert same is (one == other)


@given(st.dictionaries(st.text(), details))
def test_the_hash_is_that_of_the_canonical_json(row: dict[str, Any]) -> None:
    canonical = json.dumps(
        {"details": row}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )

    assert row_hash({"details": row}) == sha256(canonical.encode()).hexdigest()


def test_every_sign_hashes_as_the_canonical_json_writes_it() -> None:
    signs = "".join(map(chr, [*range(0x180), 0x2028, 0x2029, 0xFEFF, 0x1F339]))
    told = json.dumps({"at": signs}, separators=(",", ":"), ensure_ascii=False)

    assert row_hash({"at": signs}) == sha256(told.encode()).hexdigest()


def test_an_instant_hashes_the_same_in_every_zone() -> None:
    here = datetime(2026, 7, 1, 12, tzinfo=UTC)
    taipei = here.astimezone(timezone(timedelta(hours=8)))

    assert row_hash({"at": here}) == row_hash({"at": taipei})


def test_a_float_is_refused() -> None:
    with pytest.raises(UnhashableDetailError):
        row_hash({"details": {"percent": 0.1}})


@given(st.lists(st.text(max_size=3), max_size=12))
def test_a_whole_chain_holds(contents: list[str]) -> None:
    walk, chain = ChainWalk(), GENESIS_HASH
    for position, content in enumerate(contents, start=1):
        row = row_hash({"details": content})
        chain = chain_hash(chain, row)
        assert walk.step(ChainLink(position, uuid4(), row, chain, row))
    walk.finish()

    assert walk.broken is None
    assert walk.head.position == len(contents)
