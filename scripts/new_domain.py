"""Copies the skeleton of a domain and puts it in its place in the lists.

`make new-domain name=claims` makes `src/dossier/claims`, its tests and migration,
and adds it to the routers, the import contracts and the list of problems.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SKELETON = Path(__file__).parent / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*s")


class UnusableNameError(ValueError):
    """The name cannot be a domain's."""


@dataclass(frozen=True)
class Words:
    """The forms of a domain's name that the skeleton needs."""

    domain: str

    @property
    def forms(self) -> dict[str, str]:
        """Return what each placeholder stands for."""
        entity = self.domain.removesuffix("s")
        return {
            "domain": self.domain,
            "Domain": _camel(self.domain),
            "entity": entity,
            "Entity": _camel(entity),
            "entities": self.domain.replace("_", " "),
            "entity_slug": entity.replace("_", "-"),
            "path": self.domain.replace("_", "-"),
            "down_revision": newest_revision(),
        }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def newest_revision() -> str:
    """Return the migration that no other one builds on."""
    text = "\n".join(
        path.read_text() for path in (ROOT / "migrations/versions").glob("*.py")
    )
    revisions = set(re.findall(r'^revision = "(.+)"$', text, re.MULTILINE))
    parents = set(re.findall(r'^down_revision = "(.+)"$', text, re.MULTILINE))
    heads: list[str] = sorted(revisions - parents)
    return heads[0]


def check(name: str) -> str:
    """Return the name if it is a free plural noun in snake case, or raise."""
    if not NAME.fullmatch(name):
        message = f"{name!r} is not a plural noun in snake case, such as claims"
        raise UnusableNameError(message)
    if (ROOT / "src/dossier" / name).exists():
        message = f"src/dossier/{name} is there already"
        raise UnusableNameError(message)
    return name


def copy_files(words: Words) -> list[Path]:
    """Write the domain, its tests and its migration; return what was written."""
    today = datetime.now(UTC).date().isoformat()
    forms = words.forms
    targets = {
        SKELETON / "migration.py.txt": ROOT
        / f"migrations/versions/{today}_{words.domain}.py"
    }
    for part, folder in (("domain", "src/dossier"), ("tests", "tests")):
        for source in sorted((SKELETON / part).iterdir()):
            name = source.name.removesuffix(".txt")
            targets[source] = ROOT / folder / words.domain / name
    for source, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().format(**forms))
    return list(targets.values())


def edit(path: str, pattern: str, replacement: str) -> Path:
    """Replace every match in one file; a pattern without a match is an error."""
    target = ROOT / path
    text, count = re.subn(pattern, replacement, target.read_text(), flags=re.MULTILINE)
    if not count:
        message = f"{path} has no line like {pattern!r}"
        raise LookupError(message)
    target.write_text(text)
    return target


def join_lists(words: Words) -> list[Path]:
    """Add the domain to the routers, the contracts and the list of problems."""
    forms = words.forms
    domain, title = forms["domain"], forms["entities"].capitalize()
    section = (
        f"\n## {title}\n\n"
        "| Type | Status | When |\n|---|---|---|\n"
        f"| `/problems/{forms['entity_slug']}-not-found` | 404 | "
        f"There is no such {forms['entity']} in this organisation. |\n"
        f"| `/problems/{forms['entity_slug']}-title-empty` | 422 | "
        f"A {forms['entity']} needs a title that people can read. |\n"
    )
    problems = ROOT / "docs/problems.md"
    problems.write_text(problems.read_text().rstrip("\n") + "\n" + section)
    return [
        edit(
            "src/dossier/api.py",
            r"^from dossier\.documents\.router import",
            f"from dossier.{domain}.router import router as {domain}\n"
            "from dossier.documents.router import",
        ),
        edit(
            "src/dossier/api.py",
            r"^(API_ROUTERS: .*= \()",
            rf"\1{domain}, ",
        ),
        edit("pyproject.toml", r'^  "reports", ', f'  "{domain}",\n  "reports", '),
        edit("pyproject.toml", r'"dossier\.reports",\n', _with_domain(domain)),
    ]


def _with_domain(domain: str) -> str:
    return f'"dossier.reports",\n  "dossier.{domain}",\n'


def main(arguments: list[str]) -> int:
    """Make the domain that the command line names."""
    try:
        [name] = arguments
        words = Words(check(name))
    except ValueError as exc:
        print(f"usage: make new-domain name=claims ({exc})", file=sys.stderr)
        return 2
    written = [path for path in copy_files(words) if path.suffix == ".py"]
    joined = [path for path in join_lists(words) if path.suffix == ".py"]
    ruff = [Path(sys.executable).parent / "ruff"]
    for command in (["check", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run([*ruff, *command, *written, *joined], check=True)  # noqa: S603 - our own tool
    for path in written:
        print(path.relative_to(ROOT))
    print("Next: docs/adding-a-feature.md; then make check.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
