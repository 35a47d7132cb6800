import logging
from time import process_time
from typing import Annotated, Any, Literal

import httpx2
import orjson
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from sqlalchemy.exc import DBAPIError
from tests.core.edge import rig

from dossier.core.catalogue import error_classes
from dossier.core.errors import Fault, NotFoundError, UnauthenticatedError
from dossier.core.problems import as_app_error, headers_of, problem_of
from dossier.core.schemas import LineText


class PersonaBody(BaseModel):
    name: Annotated[LineText, StringConstraints(min_length=1, max_length=100)]


class ListBody(BaseModel):
    ids: list[int] = Field(max_length=2)


async def answered(method: str, path: str, **request: Any) -> httpx2.Response:
    async with rig() as small:
        return await small.client.request(method, path, **request)


def check_shape(answer: httpx2.Response) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/problems/{problem['code'].replace('_', '-')}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["instance"] == answer.request.url.path
    return problem


async def test_named_failure_keeps_its_name_and_detail() -> None:
    problem = check_shape(await answered("GET", "/fails/teapot"))

    assert problem["code"] == "teapot"
    assert (problem["title"], problem["detail"]) == ("Teapot", "short and stout")


async def test_unknown_route_is_a_problem() -> None:
    problem = check_shape(await answered("GET", "/nowhere"))

    assert problem["code"] == "route_not_found"


async def test_wrong_method_names_all_that_are_allowed() -> None:
    answer = await answered("DELETE", "/orders")

    assert check_shape(answer)["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "POST, PUT"


async def test_fault_in_a_body_is_found_by_its_json_pointer() -> None:
    body = {"items": [{"name": "x"}, {"name": "rose", "colour": "red"}]}

    problem = check_shape(await answered("POST", "/orders", json=body))

    assert problem["code"] == "request_invalid"
    assert [(f["pointer"], f["code"]) for f in problem["errors"]] == [
        ("#/items/0/name", "string_too_short"),
        ("#/items/1/colour", "extra_forbidden"),
    ]


@pytest.mark.parametrize(
    ("name", "code", "detail"),
    [
        ("", "string_too_short", "String should have at least 1 character"),
        ("x" * 101, "string_too_long", "String should have at most 100 characters"),
    ],
)
def test_length_fault_of_a_text_counts_characters(
    name: str, code: str, detail: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        PersonaBody.model_validate({"name": name})
    faults = [{**fault, "loc": ("body", "name")} for fault in refused.value.errors()]

    error = as_app_error(RequestValidationError(faults))

    assert error.faults == (Fault("#/name", detail, code),)


def test_length_fault_of_a_list_counts_items() -> None:
    with pytest.raises(ValidationError) as refused:
        ListBody.model_validate({"ids": [1, 2, 3]})
    faults = [{**fault, "loc": ("body", "ids")} for fault in refused.value.errors()]

    (fault,) = as_app_error(RequestValidationError(faults)).faults

    assert (fault.code, "at most 2 items" in fault.detail) == ("too_long", True)


@pytest.mark.parametrize(
    ("preferences", "faults"),
    [
        ({"a": 1.5}, [("#/preferences/a", "union_mismatch")]),
        ({"a": {}, "b": []}, [(f"#/preferences/{k}", "union_mismatch") for k in "ab"]),
        ({"A": 1}, [("#/preferences/A", "string_pattern_mismatch")]),
        ({"A": {}}, [("#/preferences/A", "string_pattern_mismatch")]),
        ([], [("#/preferences", "dict_type")]),
    ],
)
async def test_a_pointer_holds_no_branch_of_a_union(
    client: httpx2.AsyncClient, preferences: object, faults: list[tuple[str, str]]
) -> None:
    answer = await client.patch(
        "/api/v1/chat/profile", json={"preferences": preferences}
    )

    found = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert [each for each in found if each in faults] == faults
    assert {pointer for pointer, _code in found} == {pointer for pointer, _ in faults}


async def test_fault_in_a_parameter_is_found_by_its_name() -> None:
    answers = [
        await answered("GET", "/things/abc"),
        await answered("GET", "/things/1?limit=51"),
    ]

    faults = [check_shape(answer)["errors"][0] for answer in answers]
    assert [(f["pointer"], f["code"]) for f in faults] == [
        ("thing_id", "int_parsing"),
        ("limit", "less_than_equal"),
    ]


@pytest.mark.parametrize("body", [b"{bad", b"\xff\xfe", b'{"items": [', b"[" * 90])
async def test_body_that_is_not_json_is_a_problem(body: bytes) -> None:
    answer = await answered(
        "POST", "/orders", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    assert check_shape(answer)["code"] == "malformed_json"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"items": "\n"}', "Invalid control character at character 11"),
        (b'{"items": "', "Unterminated string starting at character 10"),
        (b'{"items": "\xff"}', "Not UTF-8 at byte 11"),
        (b"\xff\xfe{", "Not UTF-16-LE at byte 2"),
    ],
)
async def test_fault_of_malformed_json_has_the_reason(body: bytes, detail: str) -> None:
    answer = await answered(
        "POST", "/orders", content=body, headers={"content-type": "application/json"}
    )

    assert check_shape(answer)["errors"] == [
        {"pointer": "#", "detail": detail, "code": "json_invalid"}
    ]


async def test_body_of_another_kind_is_a_problem() -> None:
    answer = await answered("POST", "/orders", data={"items": "1"})

    assert answer.status_code == 415
    assert check_shape(answer)["code"] == "unsupported_media_type"


async def test_missing_body_is_a_fault_at_the_root() -> None:
    problem = check_shape(await answered("POST", "/orders"))

    assert problem["errors"] == [
        {"pointer": "#", "detail": "Field required", "code": "missing"}
    ]


async def test_unavailable_has_retry_after() -> None:
    answer = await answered("GET", "/fails/busy")

    assert answer.headers["retry-after"] == "7"
    assert check_shape(answer)["retry_after"] == 7


async def test_bug_is_logged_with_its_traceback_and_not_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await answered("GET", "/fails/bug")

    assert check_shape(answer)["code"] == "internal_server"
    assert "secret detail" not in answer.text
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


@pytest.mark.parametrize("how", ["refused", "no-socket"])
async def test_database_that_is_away_has_retry_after(how: str) -> None:
    answer = await answered("GET", f"/fails/{how}")

    assert check_shape(answer)["code"] == "database_away"
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"


async def test_missing_file_is_not_taken_for_a_missing_database() -> None:
    problem = check_shape(await answered("GET", "/fails/no-file"))

    assert problem["code"] == "internal_server"


def test_driver_error_counts_as_away_only_when_the_connection_is_lost() -> None:
    codes = [
        as_app_error(
            DBAPIError("select 1", {}, Exception(), connection_invalidated=is_lost)
        ).code()
        for is_lost in (True, False)
    ]

    assert codes == ["database_away", "internal_server"]


def test_error_without_a_request_has_no_instance() -> None:
    fault = Fault("#/a~1b", "no", "bad")

    assert problem_of(NotFoundError("gone", faults=(fault,))) == {
        "type": "/problems/not-found",
        "code": "not_found",
        "title": "Not found",
        "status": 404,
        "detail": "gone",
        "errors": [{"pointer": "#/a~1b", "detail": "no", "code": "bad"}],
    }


class CreamPotNotFoundError(NotFoundError):
    """No such pot."""

    title = "Cream pot not found"


class OddKeyNotFoundError(NotFoundError):
    """No such key."""

    title = "API key not found"


def test_what_is_not_found_is_named_with_its_kind() -> None:
    assert OddKeyNotFoundError(7).detail == "There is no API key 7."
    assert CreamPotNotFoundError(7).detail == "There is no cream pot 7."
    assert CreamPotNotFoundError().detail == "No such pot."


def test_unauthenticated_names_the_scheme() -> None:
    assert headers_of(UnauthenticatedError())["www-authenticate"] == "Bearer"


async def test_catalogue_explains_every_type(anonymous_client: Any) -> None:
    listed = (await anonymous_client.get("/problems")).json()["items"]
    one = await anonymous_client.get("/problems/route-not-found")
    none = await anonymous_client.get("/problems/no-such-type")

    assert one.json() in listed
    assert all(kind["description"] for kind in listed)
    assert none.json()["code"] == "problem_type_not_found"


async def test_no_two_failures_share_a_type(anonymous_client: Any) -> None:
    listed = orjson.loads((await anonymous_client.get("/problems")).content)["items"]

    types = [kind["type"] for kind in listed]
    assert len(types) == len(set(types))


def test_no_failure_repeats_its_title_as_its_detail() -> None:
    repeated = [
        kind.__name__
        for kind in error_classes()
        if kind.description().rstrip(".").casefold() == kind.title.casefold()
        or "__doc__" not in vars(kind)
    ]

    assert repeated == []


async def test_answer_without_a_detail_of_its_own_says_when_it_happens() -> None:
    problem = check_shape(await answered("GET", "/nowhere"))

    assert problem["detail"] == "The path belongs to no route."


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (
            {"items": [{"nmae": "rose", "name": "rose"}]},
            "#/items/0/nmae",
            "There is no such field. Did you mean 'name'?",
        ),
        (
            {"itens": [], "items": []},
            "#/itens",
            "There is no such field. Did you mean 'items'?",
        ),
        (
            {"items": [{"name": "rose", "zzz": 1}]},
            "#/items/0/zzz",
            "There is no such field.",
        ),
        ({"items": [{"name": 7}]}, "#/items/0/name", "not a number"),
        ({"items": "rose"}, "#/items", "not text"),
    ],
)
async def test_fault_names_what_came_and_the_nearest_field(
    body: dict[str, Any], pointer: str, detail: str
) -> None:
    problem = check_shape(await answered("POST", "/orders", json=body))

    [fault] = problem["errors"]
    assert fault["pointer"] == pointer
    assert fault["detail"].endswith(detail)
    assert problem["detail"] == f"{pointer}: {fault['detail']}"


def test_many_unknown_fields_are_refused_without_comparing_all() -> None:
    unknown = {f"itemz{number}": 1 for number in range(20_000)}
    errors = [
        {"type": "extra_forbidden", "loc": ("body", name), "msg": "", "input": 1}
        for name in unknown
    ]

    started_s = process_time()
    error = as_app_error(RequestValidationError(errors, body=unknown), ListBody)

    assert len(error.faults) == 20_000
    assert process_time() - started_s < 1


class ChoiceBody(BaseModel):
    use: Literal["leave_on", "rinse_off"]
    password: str = Field(min_length=8)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"use": "leaveon", "password": "x" * 8},
            (
                "Input should be 'leave_on' or 'rinse_off', not 'leaveon'."
                " Did you mean 'leave_on'?"
            ),
        ),
        (
            {"use": "zzz", "password": "x" * 8},
            "Input should be 'leave_on' or 'rinse_off', not 'zzz'",
        ),
        (
            {"use": None, "password": "x" * 8},
            "Input should be 'leave_on' or 'rinse_off', not null",
        ),
        (
            {"use": "leave_on", "password": "secret"},
            "String should have at least 8 characters",
        ),
    ],
)
def test_fault_of_a_choice_names_the_nearest_and_no_secret(
    body: dict[str, Any], detail: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        ChoiceBody.model_validate(body)
    errors = [{**each, "loc": ("body", *each["loc"])} for each in caught.value.errors()]

    error = as_app_error(RequestValidationError(errors, body=body), ChoiceBody)

    assert [fault.detail for fault in error.faults] == [detail]
