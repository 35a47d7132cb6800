"""Orders and names in a report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.reports.rules import (
    download_name,
    ordered_findings,
    original_path,
    title_of,
)

FINDINGS = st.lists(
    st.fixed_dictionaries(
        {
            "severity": st.sampled_from(["blocking", "warning", "info"]),
            "item": st.none() | st.integers(1, 16),
            "n": st.integers(),
        }
    )
)


@given(FINDINGS)
def test_findings_come_blocking_first_then_by_item(findings: list[dict]) -> None:  # type: ignore[type-arg] # any members
    ordered = ordered_findings(findings)

    ranks = [
        (["blocking", "warning", "info"].index(f["severity"]), f["item"] or 99)
        for f in ordered
    ]
    assert ranks == sorted(ranks)
    assert sorted(map(repr, ordered)) == sorted(map(repr, findings))


@pytest.mark.parametrize(
    ("filename", "path"),
    [
        ("GMP 證書.pdf", "originals/03_GMP 證書.pdf"),
        ("../../etc/passwd", "originals/03_passwd"),
        ("C:\\temp\\a.xlsx", "originals/03_a.xlsx"),
        ("..", "originals/03_document"),
        ("a\x00b\nc\u202e.pdf", "originals/03_ab c.pdf"),
        ("配" * 100 + ".pdf", "originals/03_" + "配" * 66 + ".pdf"),
    ],
)
def test_original_keeps_its_name_without_folders(filename: str, path: str) -> None:
    assert original_path(3, filename) == path


@given(st.integers(1, 500), st.text())
def test_no_file_name_leads_out_of_the_folder(position: int, filename: str) -> None:
    path = original_path(position, filename)

    folder, name = path.split("/")
    assert folder == "originals"
    assert name not in {".", ".."}
    assert name.isprintable()
    assert len(name.encode()) <= 255


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (("玫瑰霜", "Rose Cream"), "玫瑰霜 Rose Cream"),
        ((None, "Rose Cream"), "Rose Cream"),
        ((None, None), ""),
    ],
)
def test_title_joins_the_existing_names(
    names: tuple[str | None, str | None], title: str
) -> None:
    assert title_of(*names) == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("玫瑰霜 Rose Cream", "玫瑰霜 Rose Cream v3 pif.pdf"),
        ('a/b\\c:d"e', "a-b-c-d-e v3 pif.pdf"),
        ("", "PIF v3 pif.pdf"),
    ],
)
def test_a_download_is_named_after_product_and_version(title: str, name: str) -> None:
    assert download_name(title, 3, "pif.pdf") == name
