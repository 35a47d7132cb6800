"""`product.yaml` and its flags: values, lines, and faults that name them."""

from datetime import date
from pathlib import Path

import pytest

from dossier.cli.builder.facts import ProductFile, apply_flags, read_product_file
from dossier.cli.builder.types import UnusableInputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "product.yaml"


def read(path: Path, text: str) -> ProductFile:
    path.write_text(text, encoding="utf-8")
    return read_product_file(path)


def test_values_and_their_lines_are_read(path: Path) -> None:
    facts = read(path, "code: A\nholder:\n  name: 霽月\nsites:\n  - step: x\n")

    assert facts.values == {
        "code": "A",
        "holder": {"name": "霽月"},
        "sites": [{"step": "x"}],
    }
    assert facts.locate(("holder", "name")) == "product.yaml:3: holder.name"
    assert facts.locate(("sites", 0, "step")) == "product.yaml:5: sites.0.step"


def test_on_and_no_are_text_without_quotation_marks(path: Path) -> None:
    facts = read(path, "country: NO\non: 2026-06-30\nyes: off\nflag: true\n")
    flagged = apply_flags(facts, ["sites=[{country: no}]"])

    assert facts.values == {
        "country": "NO",
        "on": date(2026, 6, 30),
        "yes": "off",
        "flag": True,
    }
    assert flagged.values["sites"] == [{"country": "no"}]


def test_missing_field_is_located_at_its_parent(path: Path) -> None:
    facts = read(path, "code: A\nholder:\n  name: B\n")

    assert facts.locate(("holder", "phone")) == "product.yaml:2: holder.phone"
    assert facts.locate(("category",)) == "product.yaml: category"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code: [", r"product\.yaml:1: not YAML: "),
        ("- a\n- b\n", "expected `field: value`"),
        ("code: A\nname_en: B\ncode: C\n", r":3: code: stated a second time"),
        ("code: !!python/object:os.system x", "not YAML: could not determine"),
        ("day: 2026-13-45", "not YAML that can be read"),
        ("[" * 600, "not YAML that can be read"),
    ],
)
def test_unusable_file_is_refused_with_its_line(
    path: Path, text: str, reason: str
) -> None:
    with pytest.raises(UnusableInputError, match=reason):
        read(path, text)


def test_text_in_another_encoding_is_refused(path: Path) -> None:
    path.write_bytes("name_zh: 玫瑰".encode("cp950"))

    with pytest.raises(UnusableInputError, match="not UTF-8 at byte"):
        read_product_file(path)


def test_oversized_file_is_refused(path: Path) -> None:
    with pytest.raises(UnusableInputError, match="larger than"):
        read(path, "#" * 1_100_000)


def test_multiplying_aliases_are_visited_once(path: Path) -> None:
    text = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
    )

    assert read(path, text).locate(("a39",)) == "product.yaml:40: a39"


def test_missing_and_empty_file_have_no_values(path: Path) -> None:
    assert read_product_file(None).values == {}
    assert read(path, "# nothing yet\n").values == {}


def test_flags_override_the_file(path: Path) -> None:
    facts = read(path, "code: A\nholder:\n  name: B\n  phone: '1'\n")

    flagged = apply_flags(
        facts, ["holder.name=C", "usage.amount=0.8 g", "markets=[tw]", "code=0312"]
    )

    assert flagged.values == {
        "code": "0312",
        "holder": {"name": "C", "phone": "1"},
        "usage": {"amount": "0.8 g"},
        "markets": ["tw"],
    }
    assert facts.values["holder"] == {"name": "B", "phone": "1"}


@pytest.mark.parametrize(
    ("flag", "reason"),
    [("code", "expected FIELD=VALUE"), ("code.x=1", "code holds a plain value")],
)
def test_unusable_flag_is_named(path: Path, flag: str, reason: str) -> None:
    facts = read(path, "code: A\n")

    with pytest.raises(UnusableInputError, match=reason):
        apply_flags(facts, [flag])


def test_field_from_a_flag_is_located_at_the_flag(path: Path) -> None:
    facts = read(path, "code: A\nholder:\n  name: B\n")

    flagged = apply_flags(facts, ["holder={name: C}", "use=x"])

    assert flagged.locate(("holder", "name")) == "--product: holder.name"
    assert flagged.locate(("use",)) == "--product: use"
    assert flagged.locate(("code",)) == "product.yaml:1: code"


def test_unreadable_file_is_named(path: Path) -> None:
    with pytest.raises(UnusableInputError, match="cannot be read: No such file"):
        read_product_file(path)


def test_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("code: A")
    path.symlink_to(tmp_path / "secret")

    with pytest.raises(UnusableInputError, match="a symbolic link"):
        read_product_file(path)
