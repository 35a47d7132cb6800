"""Two dossiers with planted faults and their clean twins, built as a person would.

Expected are exactly the findings that today's rules reach, with their item and
severity; a clean twin has nothing that blocks or warns.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.factories.inspected import lipstick, sheet_mask

from dossier.cli.builder.pipeline import BuildOptions, run_build
from dossier.cli.builder.result import BuildResult
from dossier.cli.builder.terminal import Stages
from dossier.core.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.process]

Found = tuple[str, int, str]


@pytest.fixture
def own_settings(settings: Settings, fresh_database: str) -> Settings:
    database = settings.database.model_copy(update={"url": fresh_database})
    return settings.model_copy(update={"database": database})


async def build(
    settings: Settings, files: Mapping[str, bytes], folder: Path
) -> BuildResult:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    options = BuildOptions(folder, folder.parent / "out", "tw")
    return await run_build(settings, options, Stages(None))


def found(result: BuildResult) -> list[Found]:
    """Return what blocks or warns; a follow-on is counted with its cause."""
    return sorted(
        (each["code"], each["item"], each["severity"])
        for each in result.findings()
        if each["severity"] != "info" and not each.get("caused_by")
    )


def states(result: BuildResult) -> dict[int, str]:
    """Return the items that are not present, with their states."""
    return {
        item["number"]: item["state"]
        for item in result.snapshot["items"]
        if item["state"] != "present"
    }


async def test_imported_lipstick_has_exactly_its_planted_faults(
    own_settings: Settings, tmp_path: Path
) -> None:
    result = await build(own_settings, lipstick({"cas", "pack"}), tmp_path / "in")

    assert found(result) == [
        ("cas-check-digit", 3, "warning"),
        ("stability-other", 11, "warning"),
    ]
    assert states(result) == {11: "stale", 13: "waived"}


async def test_clean_lipstick_has_nothing_that_blocks_or_warns(
    own_settings: Settings, tmp_path: Path
) -> None:
    result = await build(own_settings, lipstick(), tmp_path / "in")

    assert found(result) == []
    assert states(result) == {13: "waived"}


async def test_sheet_mask_of_two_sites_has_exactly_its_planted_faults(
    own_settings: Settings, tmp_path: Path
) -> None:
    faults = {"site", "notification", "foreign", "challenge", "blend"}
    result = await build(own_settings, sheet_mask(faults), tmp_path / "in")

    assert found(result) == [
        ("gmp-other-site", 5, "warning"),
        ("identity-drift", 13, "warning"),
        ("missing-inci", 3, "blocking"),
        ("missing-requirement", 9, "blocking"),
        ("notification-lapsed", 2, "blocking"),
    ]
    assert states(result) == {
        2: "stale", 5: "unconfirmed", 9: "missing", 10: "unconfirmed", 13: "missing",
    }  # fmt: skip


async def test_clean_sheet_mask_has_nothing_that_blocks_or_warns(
    own_settings: Settings, tmp_path: Path
) -> None:
    result = await build(own_settings, sheet_mask(), tmp_path / "in")

    assert found(result) == []
    assert states(result) == {}
