"""Whatever the schema, what is filled in satisfies it."""

import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, create_model

from dossier.testing.model_server.filling import Filler, matching
from dossier.testing.model_server.ranking import embed
from dossier.testing.model_server.tokens import pieces

TEXT = "name: Rose Cream\nThe pH is 5.5. CAS 56-81-5 at 3 %. Batch RC-2401, approved."


def bounded(kind: type) -> st.SearchStrategy[Any]:
    bounds = st.integers(-50, 50)
    return st.tuples(bounds, bounds, st.booleans()).map(
        lambda b: Annotated[kind, _field(min(b[:2]), max(b[:2]) + 2, open_ended=b[2])]
    )


def _field(low: int, high: int, *, open_ended: bool) -> Any:
    return Field(gt=low, lt=high) if open_ended else Field(ge=low, le=high)


PLAIN: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([str, int, float, bool, None, Literal["a", "b"], Literal[3, 4]]),
    bounded(int),
    bounded(float),
    st.integers(0, 300).map(
        lambda n: Annotated[str, Field(min_length=n, max_length=n + 3)]
    ),
    st.sampled_from(
        [r"^\d{2,7}-\d{2}-\d$", r"^[A-Z]{2}-[0-9]+$", r"^(left|right)$"]
    ).map(lambda p: Annotated[str, Field(pattern=p)]),
    st.integers(1, 7).map(lambda n: Annotated[int, Field(multiple_of=n)]),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["name", "ph", "batch", "cas_number", "x"])
    return st.one_of(
        inner.map(lambda kind: None if kind is None else kind | None),
        st.tuples(inner, st.integers(0, 3)).map(lambda drawn: some(*drawn)),
        inner.map(lambda kind: dict.__class_getitem__((str, kind))),
        inner.map(lambda kind: tuple.__class_getitem__((kind, int))),
        st.dictionaries(names, inner, max_size=4).map(record),
    )


def some(kind: Any, least: int) -> Any:
    several = list.__class_getitem__(kind)
    return Annotated[several, Field(min_length=least, max_length=least + 1)]


def record(kinds: dict[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {name: (kind, ...) for name, kind in kinds.items()}
    return create_model("Model", **fields)


@settings(max_examples=30, deadline=None)
@given(st.recursive(PLAIN, nested, max_leaves=8), st.text(max_size=80))
def test_any_type_is_filled_validly_and_always_the_same(kind: Any, text: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema()
    filled = Filler(schema, TEXT + text).fill()

    adapter.validate_python(filled, strict=False)
    assert filled == Filler(schema, TEXT + text).fill()


class Branch(BaseModel):
    name: str
    left: "Branch | None"
    others: list["Branch"]


class Loop(BaseModel):
    next: "Loop | str"


@pytest.mark.parametrize("model", [Branch, Loop])
def test_recursive_schemas_are_filled_to_a_limited_depth(
    model: type[BaseModel],
) -> None:
    model.model_validate(Filler(model.model_json_schema(), TEXT).fill())


def test_values_are_taken_from_the_text_where_they_fit() -> None:
    class Found(BaseModel):
        name: str
        cas: Annotated[str, Field(pattern=r"^\d{2,7}-\d{2}-\d$")]
        ph: Annotated[float, Field(ge=4, le=9)]
        state: Literal["refused", "approved"]

    found = Filler(Found.model_json_schema(), TEXT).fill()

    assert found == {
        "name": "Rose Cream",
        "cas": "56-81-5",
        "ph": 5.5,
        "state": "approved",
    }


@pytest.mark.parametrize(
    "pattern",
    [r"^\d{4}-\d{2}$", "^[^a-z]+$", r"^(?:ab|cd){2}\w\s\S.$", "^[_x]?y*z+?$", "free"],
)
def test_patterns_are_matched(pattern: str) -> None:
    assert re.search(pattern, matching(pattern, "nothing here"))


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(st.text(), st.integers(1, 64), st.booleans())
def test_vectors_have_length_one(text: str, dimensions: int, only: Any) -> None:
    vector = embed(text, dimensions, english_only=only)

    assert len(vector) == dimensions
    assert abs(sum(value * value for value in vector) - 1) < 1e-9
