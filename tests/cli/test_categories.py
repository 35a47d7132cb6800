"""`dossier categories`, as a table and as JSON."""

import json

from typer.testing import CliRunner

from dossier.cli.categories import app


def run(*options: str) -> str:
    result = CliRunner().invoke(app, [*options])
    assert result.exit_code == 0
    return result.stdout


def test_table_holds_id_day_and_both_names() -> None:
    lines = {line.split()[0]: line for line in run().splitlines()}

    assert lines["face_cream"].split()[1:] == [
        "2026-07-01",
        "Face",
        "cream",
        "/",
        "面霜",
    ]
    assert "not asked for" in lines["handmade_soap"]


def test_json_holds_every_column_with_its_certainty() -> None:
    printed = json.loads(run("--json"))

    rows = {row["id"]: row for row in printed["items"]}
    assert rows["lipstick"] == {
        "id": "lipstick",
        "name_zh": "唇膏、護唇膏",
        "name_en": "Lipstick, lip salve",
        "use": "leave_on",
        "tfda_category_zh": "唇用化粧品類",
        "tfda_category_en": "lip products",
        "phase_in_on": "2025-07-01",
        "exposure_row_id": "lipstick",
        "annex_classes": ["lip", "leave_on"],
        "microbial_class": "eye_mucosa_under_3",
    }
    assert rows["handmade_soap"]["phase_in_on"] is None
    assert printed["sources"]["phase_in_on"]["certainty"] == "secondary"
