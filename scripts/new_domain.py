"""Copies the skeleton of a domain and adds its name to the project's lists.

`make new-domain name=suppliers` writes `src/dossier/suppliers`, its tests, factory and
migration, and adds it to the routers, the import contracts and `docs/problems.md`.
`above=documents` places it in the floor right above documents instead of on top.
"""

import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from dossier.core.revision import head_revision

ROOT = Path(__file__).resolve().parents[1]
SKELETON = Path(__file__).parent / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*s")
TOP = "reports"
USAGE = "usage: make new-domain name=suppliers [above=documents]"


class UnusableNameError(ValueError):
    """The name cannot be a domain's."""


def forms_of(domain: str) -> dict[str, str]:
    """Return what each placeholder of the skeleton stands for."""
    entity = domain.removesuffix("s")
    if domain.endswith("ies"):
        entity = domain.removesuffix("ies") + "y"
    return {
        "domain": domain,
        "Domain": _camel(domain),
        "entity": entity,
        "Entity": _camel(entity),
        "entities": domain.replace("_", " "),
        "entity_slug": entity.replace("_", "-"),
        "path": domain.replace("_", "-"),
        "down_revision": head_revision(),
    }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def refuse_unusable(domain: str, above: str) -> None:
    """Raise unless the name is a plural noun in snake case that nothing uses yet."""
    if not NAME.fullmatch(domain):
        message = f"{domain!r} is not a plural noun in snake case"
        raise UnusableNameError(message)
    if above not in placed_domains():
        message = f"{above!r} has no line in the floors of the import contracts"
        raise UnusableNameError(message)
    forms = forms_of(domain)
    for folder in ("src/dossier", "tests"):
        if (ROOT / folder / domain).exists():
            message = f"{folder}/{domain} exists already"
            raise UnusableNameError(message)
    uses = {
        "table": f'__tablename__ = "{domain}"',
        "prefix of routes": f'"/{forms["path"]}',
        "error": f"class {forms['Entity']}NotFoundError",
        "factory": f"def make_{forms['entity']}(",
    }
    for folder in ("src/dossier", "tests/factories"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            for what, use in uses.items():
                if use in text:
                    message = f"{path.relative_to(ROOT)} uses the name already: {what}"
                    raise UnusableNameError(message)


def placed_domains() -> set[str]:
    """Return the packages that the import contracts name in their floors."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [floors] = [
        contract["layers"]
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    return {name for floor in floors for name in re.findall(r"\w+", floor)}


def copy_files(forms: dict[str, str]) -> list[Path]:
    """Write the domain, its tests, factory and migration; return what was written."""
    today = datetime.now(UTC).date().isoformat()
    domain = forms["domain"]
    targets = {
        SKELETON / "migration.py.txt": f"migrations/versions/{today}_{domain}.py",
        SKELETON / "factory.py.txt": f"tests/factories/{domain}.py",
    }
    for part, folder in (("domain", "src/dossier"), ("tests", "tests")):
        for source in sorted((SKELETON / part).iterdir()):
            name = source.name.removesuffix(".txt")
            targets[source] = f"{folder}/{domain}/{name}"
    for source, target in targets.items():
        (ROOT / target).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / target).write_text(source.read_text().format(**forms))
    return [ROOT / target for target in targets.values()]


def edit(path: str, pattern: str, replacement: str) -> None:
    """Replace the first match in one file; a pattern without a match is an error."""
    target = ROOT / path
    text, count = re.subn(
        pattern, replacement, target.read_text(), count=1, flags=re.MULTILINE
    )
    if not count:
        message = f"{path} has no line like {pattern!r}"
        raise LookupError(message)
    target.write_text(text)


def join_lists(forms: dict[str, str], above: str) -> None:
    """Add the domain to the routers, the contracts and the list of problems."""
    domain, entity = forms["domain"], forms["entity"].replace("_", " ")
    slug = forms["entity_slug"]
    section = (
        f"\n## {forms['entities'].capitalize()}\n\n"
        "| Type | Status | When |\n|---|---|---|\n"
        f"| `/problems/{slug}-not-found` | 404 | "
        f"There is no such {entity} in this organisation. |\n"
        f"| `/problems/{slug}-title-empty` | 422 | "
        f"The title of a {entity} is white space only. |\n"
    )
    problems = ROOT / "docs/problems.md"
    problems.write_text(problems.read_text().rstrip("\n") + "\n" + section)
    edit(
        "src/dossier/api.py",
        r"^from fastapi import APIRouter\n",
        "from fastapi import APIRouter\n"
        f"from dossier.{domain}.router import router as {domain}\n",
    )
    edit("src/dossier/api.py", r"^(API_ROUTERS: [^)]+)\)", rf"\1    {domain},\n)")
    # The floors, highest first: the new line goes before that of the domain below it.
    edit(
        "pyproject.toml",
        rf'^(layers = \[[^\]]*?)("[^"]*\b{above}\b[^"]*")',
        rf'\1"{domain}", \2',
    )
    # The architecture test takes its list of domains from this contract.
    edit(
        "pyproject.toml",
        r'^(name = "Domains reach the network[^\[]*source_modules = \[\n)',
        rf'\1  "dossier.{domain}",\n',
    )


def main(arguments: list[str]) -> int:
    """Make the domain that the command line names."""
    try:
        domain, above, *_ = [*arguments, TOP]
        refuse_unusable(domain, above)
    except ValueError as exc:
        print(f"{USAGE} ({exc})", file=sys.stderr)
        return 2
    forms = forms_of(domain)
    written = copy_files(forms)
    join_lists(forms, above)
    ruff = [Path(sys.executable).parent / "ruff"]
    for command in (["check", "--select=I", "--fix", "--quiet"], ["format", "--quiet"]):
        subprocess.run(  # noqa: S603 - our own tool
            [*ruff, *command, *written, ROOT / "src/dossier/api.py"], check=True
        )
    for path in written:
        print(path.relative_to(ROOT))
    print("Next: docs/adding-a-feature.md; then make check.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
