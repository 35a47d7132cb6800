"""Which files of a folder a build uses, and why it refuses others."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from dossier.cli.builder.facts import read_product_file
from dossier.cli.builder.folder import Folder, read_folder
from dossier.cli.builder.types import UnusableInputError


def names(folder: Folder) -> list[str]:
    return [paper.name for paper in folder.files]


def refused(folder: Folder) -> dict[str, str]:
    return {refusal.name: refusal.reason for refusal in folder.refused}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "formula.xlsx").write_bytes(b"PK")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_nested_folders_are_walked_in_a_stable_order(root: Path, out: Path) -> None:
    (root / "b" / "深").mkdir(parents=True)
    (root / "b" / "深" / "報告.pdf").write_bytes(b"%PDF")
    (root / "a").mkdir()
    (root / "a" / "z.pdf").write_bytes(b"%PDF")

    assert names(read_folder(root, apart_from=out)) == [
        "formula.xlsx",
        "a/z.pdf",
        "b/深/報告.pdf",
    ]


@pytest.mark.parametrize(
    "junk",
    [".DS_Store", "Thumbs.db", "desktop.ini", "~$formula.xlsx", ".git/HEAD",
     "__MACOSX/a.pdf", "product.yaml", "README.md"],
)  # fmt: skip
def test_junk_and_notes_are_skipped(root: Path, out: Path, junk: str) -> None:
    (root / junk).parent.mkdir(exist_ok=True)
    (root / junk).write_text("x")

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert not folder.refused


def test_note_in_a_subfolder_is_used(root: Path, out: Path) -> None:
    (root / "label").mkdir()
    (root / "label" / "readme.txt").write_text("label text")

    assert "label/readme.txt" in names(read_folder(root, apart_from=out))


def test_link_out_of_the_folder_is_refused_by_name(
    root: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.pdf").write_bytes(b"%PDF")
    (root / "leak.pdf").symlink_to(tmp_path / "secret.pdf")

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert refused(folder) == {
        "leak.pdf": "a symbolic link that leads out of the folder"
    }


def test_linked_folders_are_refused_not_walked(
    root: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.pdf").write_bytes(b"%PDF")
    (root / "linked").symlink_to(tmp_path / "elsewhere")

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert "out of the folder" in refused(folder)["linked"]


def test_link_inside_the_folder_is_read_once(root: Path, out: Path) -> None:
    (root / "again.xlsx").symlink_to(root / "formula.xlsx")

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert "by its own name" in refused(folder)["again.xlsx"]


def test_links_in_a_loop_are_refused_by_name(root: Path, out: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    (root / "self").symlink_to(root)

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert sorted(refused(folder)) == ["a", "b", "self"]
    assert "itself" in refused(folder)["a"] or "levels" in refused(folder)["a"]


@pytest.mark.parametrize("name", ["product.yaml", "Product.YAML", "product.yml"])
def test_product_file_is_found_whatever_its_capitals(
    root: Path, out: Path, name: str
) -> None:
    (root / name).write_text("code: RC-01")

    folder = read_folder(root, apart_from=out)

    assert folder.product_file == root / name
    assert names(folder) == ["formula.xlsx"]


def test_two_product_files_are_refused(root: Path, out: Path) -> None:
    (root / "product.yaml").write_text("code: RC-01")
    (root / "product.yml").write_text("code: RC-02")

    with pytest.raises(UnusableInputError, match=r"product.yaml and product.yml both"):
        read_folder(root, apart_from=out)


def test_linked_product_file_is_no_missing_one(
    root: Path, out: Path, tmp_path: Path
) -> None:
    (root / "product.yaml").symlink_to(tmp_path / "none")

    folder = read_folder(root, apart_from=out)

    with pytest.raises(UnusableInputError, match="a symbolic link; put the file"):
        read_product_file(folder.product_file)


def test_empty_files_and_pipes_are_named_and_others_go_on(
    root: Path, out: Path
) -> None:
    (root / "empty.pdf").touch()
    os.mkfifo(root / "pipe")

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert refused(folder) == {
        "empty.pdf": "the file is empty (0 bytes)",
        "pipe": "not an ordinary file",
    }


def test_closed_folder_is_named_and_others_go_on(
    root: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "closed").mkdir()
    scandir = os.scandir

    def guarded(path: str) -> Any:  # permissions do not hold back root
        if path.endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)

    folder = read_folder(root, apart_from=out)

    assert names(folder) == ["formula.xlsx"]
    assert refused(folder) == {"closed": "cannot be read: Permission denied"}


def test_results_inside_the_folder_are_skipped(root: Path) -> None:
    (root / "out").mkdir()
    (root / "out" / "pif.pdf").write_bytes(b"%PDF")

    assert names(read_folder(root, apart_from=root / "out")) == ["formula.xlsx"]


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="no-such: there is no such folder"):
        read_folder(tmp_path / "no-such", apart_from=tmp_path)


def test_file_instead_of_a_folder_is_named(root: Path, out: Path) -> None:
    with pytest.raises(UnusableInputError, match="this is a file"):
        read_folder(root / "formula.xlsx", apart_from=out)


def test_folder_without_a_usable_file_names_each_refused_file(
    tmp_path: Path, out: Path
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "empty.pdf").touch()

    with pytest.raises(UnusableInputError, match=r"empty\.pdf: the file is empty"):
        read_folder(tmp_path / "papers", apart_from=out)


def test_product_file_is_found(root: Path, out: Path) -> None:
    (root / "product.yaml").write_text("code: A")

    folder = read_folder(root, apart_from=out)

    assert folder.product_file == root / "product.yaml"
