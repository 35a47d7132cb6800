"""Measuring retrieval: the bundled collection, bad files, and nothing left behind."""

import os
import time
from pathlib import Path
from unittest.mock import ANY

import orjson
import pytest
from tests.processes import STDERR, STDOUT, Forkers
from typer.testing import CliRunner

from dossier.cli import app
from dossier.cli.knowledge import measured
from dossier.core.database import SessionFactory
from dossier.core.embedded.layout import locate
from dossier.knowledge.exceptions import CollectionInvalidError
from dossier.knowledge.rules.evaluation import (
    Collection,
    CollectionDocument,
    NamedLines,
    read_collection,
)
from dossier.knowledge.service import evaluation

DATA = Path(__file__).parent / "data"
FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")
DOCUMENT = b'{"_id": "a", "title": "T", "text": "red"}\n'
QUERY = b'{"_id": "q", "text": "red"}\n'
QREL = b"query-id\tcorpus-id\tscore\nq\ta\t1\n"


def bundled() -> Collection:
    return read_collection(*(lines(name, (DATA / name).read_bytes()) for name in FILES))


def lines(name: str, content: bytes) -> NamedLines:
    return NamedLines(name, content.splitlines(keepends=True))


async def test_bundled_documents_are_found(sessions: SessionFactory) -> None:
    figures = await evaluation.evaluate(sessions, bundled())

    assert figures == {
        "documents": 30,
        "queries": 20,
        "ndcg@10": ANY,
        "recall@10": ANY,
        "recall@100": 1.0,
        "p50_ms": ANY,
        "p95_ms": ANY,
        "mode": "lexical",
    }
    assert figures["ndcg@10"] >= 0.95


@pytest.mark.process  # a database of its own: a second to start
async def test_database_of_an_evaluation_is_removed(tmp_path: Path) -> None:
    document, question = CollectionDocument("a", "T", "red"), {"q": "red"}
    collection = Collection((document,), question, {"q": {"a": 1}})

    figures = await measured(tmp_path, collection)

    assert figures["ndcg@10"] == 1
    assert not locate(tmp_path).data.exists()


@pytest.mark.process  # a process that is stopped half-way
def test_stopped_evaluation_leaves_no_files(tmp_path: Path, forkers: Forkers) -> None:
    command = ["-m", "dossier", "knowledge", "eval"]
    for name in FILES:
        command += [f"--{name.split('.')[0]}", str(DATA / name)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = forkers.start(command, environment, STDOUT, STDERR)
    while not any(tmp_path.glob("*/*")) and process.poll() is None:
        time.sleep(0.01)

    process.terminate()  # goes on as Ctrl-C

    assert process.wait(30) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("corpus", "queries", "qrels", "message"),
    [
        (b"", QUERY, QREL, "corpus.jsonl: nothing in it"),
        (b"{", QUERY, QREL, "corpus.jsonl, line 1: not JSON"),
        (DOCUMENT + b"\n[]\n", QUERY, QREL, "corpus.jsonl, line 3: not a JSON object"),
        (DOCUMENT * 2, QUERY, QREL, "corpus.jsonl, line 2: `_id` a stands twice"),
        (b'{"_id": ""}', QUERY, QREL, "corpus.jsonl, line 1: `_id` is empty"),
        (b'{"_id": 3}', QUERY, QREL, "corpus.jsonl, line 1: `_id` is not a string"),
        (b'{"_id": "a"}', QUERY, QREL, "line 1: `text` is not a string"),
        (
            b'{"_id": "a", "text": "\\u0000"}',
            QUERY,
            QREL,
            "`text` holds U+0000",
        ),
        (DOCUMENT + b"\xff\n", QUERY, QREL, "corpus.jsonl, line 2: not UTF-8"),
        (DOCUMENT, QUERY, QREL + b"q\ta\n", "qrels.tsv, line 3: not three columns"),
        (DOCUMENT, QUERY, b"q\ta\tx\n", "qrels.tsv, line 1: the score is not a whole"),
        (DOCUMENT, QUERY, b"p\ta\t1\n", "qrels.tsv, line 1: there is no query p"),
        (DOCUMENT, QUERY, b"q\tb\t1\n", "qrels.tsv, line 1: there is no document b"),
        (DOCUMENT, QUERY, b"\n", "qrels.tsv: nothing in it"),
        (DOCUMENT, QUERY, b"q\ta\t0\n", "qrels.tsv: no score above 0 in it"),
        (DOCUMENT, QUERY, b"q\ta\t-1\n", "qrels.tsv: no score above 0 in it"),
    ],
)
def test_error_of_a_bad_file_names_its_line(
    corpus: bytes, queries: bytes, qrels: bytes, message: str
) -> None:
    with pytest.raises(CollectionInvalidError) as caught:
        read_collection(
            *map(lines, FILES, (corpus, queries, qrels)),
        )

    assert message in caught.value.detail


def test_a_byte_order_mark_and_blank_lines_do_no_harm() -> None:
    mark = b"\xef\xbb\xbf"
    read = read_collection(
        *map(lines, FILES, (mark + DOCUMENT + b"\n", QUERY + b"\n", QREL))
    )

    assert read.grades == {"q": {"a": 1}}
    assert read.documents[0].title == "T"


def test_bad_file_ends_the_command_with_code_two_and_one_line(tmp_path: Path) -> None:
    for name, content in zip(FILES, (DOCUMENT, b"{", QREL), strict=True):
        (tmp_path / name).write_bytes(content)
    arguments = ["knowledge", "eval"]
    for name in FILES:
        arguments += [f"--{name.split('.')[0]}", str(tmp_path / name)]

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "queries.jsonl, line 1: not JSON" in result.stderr


def test_commands_print_what_the_api_answers(
    tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSSIER_HOME", str(tmp_path))
    monkeypatch.setenv("DOSSIER_DATABASE__URL", fresh_database)
    runner = CliRunner()

    shown = runner.invoke(app, ["search", "shelf life"])
    body = runner.invoke(app, ["search", "shelf life", "--json"])
    refused = runner.invoke(app, ["search", " "])

    assert (shown.exit_code, shown.stdout.strip()) == (0, "Nothing found.")
    assert orjson.loads(body.stdout)["items"] == []
    assert refused.exit_code == 2


@pytest.mark.parametrize("grade", [b"0", b"-1"])
def test_a_query_without_a_relevant_document_is_left_out(grade: bytes) -> None:
    queries = QUERY + b'{"_id": "none", "text": "blue"}\n'
    qrels = QREL + b"none\ta\t" + grade + b"\n"

    read = read_collection(*map(lines, FILES, (DOCUMENT, queries, qrels)))

    assert (read.questions, read.grades) == ({"q": "red"}, {"q": {"a": 1}})
