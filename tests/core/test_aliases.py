"""Variables that operators have set already are understood."""

from pathlib import Path

import pytest

from dossier.core.settings import Settings, TraceSettings

LANGSMITH = {"LANGSMITH_API_KEY": "ls-key", "LANGSMITH_PROJECT": "creams"}


def traces(
    monkeypatch: pytest.MonkeyPatch, folder: Path, **given: str
) -> TraceSettings:
    monkeypatch.chdir(folder)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return Settings().traces


def test_langsmiths_key_alone_says_where_traces_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = traces(monkeypatch, tmp_path, **LANGSMITH)

    assert found.endpoint == "https://api.smith.langchain.com/otel"
    assert found.headers == {"x-api-key": "ls-key", "Langsmith-Project": "creams"}
    assert not found.content


OTHER = "http://collector:4318"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOSSIER_TRACES__ENDPOINT", OTHER),
        ("dossier_traces__endpoint", OTHER),
        ("DOSSIER_TRACES", f'{{"endpoint": "{OTHER}"}}'),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", OTHER),
    ],
)
def test_another_collector_never_gets_langsmiths_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    given = LANGSMITH | {name: value}

    found = traces(monkeypatch, tmp_path, **given)

    assert (found.endpoint, found.headers) == (OTHER, {})


def test_a_server_of_ones_own_is_taken_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = ["LANGSMITH_API_KEY=k", "LANGSMITH_ENDPOINT=https://smith.example/"]
    (tmp_path / ".env").write_text("\n".join(lines))

    found = traces(monkeypatch, tmp_path)

    assert found.endpoint == "https://smith.example/otel"


def test_a_project_alone_traces_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = traces(monkeypatch, tmp_path, LANGSMITH_PROJECT="creams")

    assert found.endpoint is None


def test_settings_of_answers_and_of_the_inside_worker_keep_their_old_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "DOSSIER_RUNS__LEASE_S": "7",
        "DOSSIER_RUNS__BATCH_MS": "50",
        "DOSSIER_RUNS__MAX_ATTEMPTS": "5",
        "DOSSIER_RUNS__ON_DISCONNECT": "cancel",
        "DOSSIER_RUNS__KEEP_LOG_DAYS": "30",
        "DOSSIER_JOBS__KEEP_LOG_DAYS": "60",
        "DOSSIER_JOBS__IN_PROCESS": "false",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    jobs = Settings().jobs

    assert (jobs.answers_lease_s, jobs.flush_ms, jobs.max_deaths) == (7, 50, 5)
    assert (jobs.on_disconnect, jobs.child) == ("cancel", False)
    assert jobs.keep_log_days == 60  # its own name goes first


def test_the_former_name_of_a_setting_may_be_set_beside_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOSSIER_JOBS__IN_PROCESS", "false")
    monkeypatch.setenv("DOSSIER_JOBS__CHILD", "true")

    assert Settings().jobs.child
