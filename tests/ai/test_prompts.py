"""Prompts are versioned: what has shipped is never edited."""

import hashlib
import json
from pathlib import Path

import pytest

from dossier.ai.exceptions import PromptMissingError
from dossier.ai.service.prompts import PROMPTS, load_prompt

PINS: dict[str, str] = json.loads(
    (PROMPTS.parent / "data" / "prompt_pins.json").read_text()
)


def test_every_shipped_prompt_is_the_one_that_was_pinned() -> None:
    """Changed a prompt? Add `<version + 1>.md` and its SHA-256 to the pins."""
    shipped = {
        f"{path.parent.name}/{path.stem}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in PROMPTS.glob("*/*.md")
    }

    assert shipped == PINS


def test_a_prompt_says_which_version_it_is() -> None:
    prompt = load_prompt("chat.summary")

    assert prompt.label == f"chat.summary@{prompt.version}"
    assert prompt.sha256 == PINS[f"chat.summary/{prompt.version}"]
    assert "summary" in prompt.text


def test_the_newest_version_wins_and_older_ones_stay(tmp_path: Path) -> None:
    folder = tmp_path / "greet"
    folder.mkdir()
    for version in (2, 9, 10):
        (folder / f"{version}.md").write_text(f"Hello {version}.")

    assert load_prompt("greet", folder=tmp_path).version == 10
    assert load_prompt("greet", 2, tmp_path).text == "Hello 2."
    with pytest.raises(PromptMissingError, match="greet@3"):
        load_prompt("greet", 3, tmp_path)


def test_a_prompt_that_is_not_there_has_a_name() -> None:
    with pytest.raises(PromptMissingError, match=r"chat\.nothing"):
        load_prompt("chat.nothing")
