import logging
import sys

import orjson
import pytest

from dossier.core.logging import (
    JsonFormatter,
    TerminalFormatter,
    bind_actor,
    bound,
    configure_logging,
    log_context,
)


def rendered(record: logging.LogRecord) -> dict[str, object]:
    line: dict[str, object] = orjson.loads(JsonFormatter().format(record))
    return line


def record_of(**extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord(
        {"name": "dossier.x", "msg": "x.happened", "levelno": 20, "levelname": "INFO"}
    )
    vars(record).update(extra)
    return record


def test_line_has_event_extras_and_the_ids_around_it() -> None:
    with log_context(request_id="r-1", org_id=7), log_context(job_id="j-1"):
        line = rendered(record_of(cas="50-00-0"))

    del line["time"]
    assert line == {
        "level": "info",
        "logger": "dossier.x",
        "event": "x.happened",
        "request_id": "r-1",
        "org_id": "7",
        "job_id": "j-1",
        "cas": "50-00-0",
    }


def test_ids_end_with_their_context() -> None:
    with log_context(request_id="r-1"):
        bind_actor("org", None)
        assert bound().org_id == "org"

    assert bound().request_id is None
    assert "org_id" not in rendered(record_of())


def test_value_that_is_no_json_is_written_as_text() -> None:
    assert rendered(record_of(path=object()))["path"].__class__ is str


def test_failure_carries_its_traceback() -> None:
    record = record_of()
    try:
        raise ValueError("no")  # noqa: EM101, TRY301 - what is caught
    except ValueError:
        record.exc_info = sys.exc_info()

    line = rendered(record)

    assert line["error"] == "ValueError"
    assert "test_logging.py" in str(line["traceback"])


def test_line_for_a_terminal_is_short_and_carries_the_traceback() -> None:
    record = record_of(cas="50-00-0", color_message="coloured")
    try:
        raise ValueError("no")  # noqa: EM101, TRY301 - what is caught
    except ValueError:
        record.exc_info = sys.exc_info()

    with log_context(request_id="r-1"):
        first, *rest = TerminalFormatter().format(record).splitlines()

    assert first[8:] == " info    x.happened request_id=r-1 cas=50-00-0 "
    assert rest[-1] == "ValueError: no"


@pytest.mark.usefixtures("kept_logging")
def test_lines_of_the_server_pass_the_same_formatter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("INFO")

    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("uvicorn.access").info("a line of its own")

    [line] = capsys.readouterr().err.splitlines()
    assert orjson.loads(line)["event"] == "Started server process [7]"
