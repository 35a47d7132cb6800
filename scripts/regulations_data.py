"""Write the shipped rules of `dossier.regulations` from the official exports.

    python scripts/regulations_data.py EXPORTS

`EXPORTS` holds `cosing-2024/annex.II.csv` … `annex.VI.csv`, `cosing-2026/annex_II.csv`
… and `tfda/` with Taiwan's five lists. The exports themselves are not committed; the
files hold names, numbers and codes. The same exports give the same files.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dossier.regulations.importing.assembly import corrected, versions
from dossier.regulations.importing.cosing import read_annex
from dossier.regulations.importing.layout import read_table
from dossier.regulations.importing.tfda import read_list
from dossier.regulations.rules.records import AnnexRule, to_json

DATA: Final = Path(__file__).parents[1] / "src/dossier/regulations/data"
ANNEXES: Final = ("II", "III", "IV", "V", "VI")
TFDA: Final = {
    "prohibited": "化粧品禁止使用成分資料集.csv",
    "restricted": "化粧品成分使用限制資料集.csv",
    "colourants": "化粧品色素成分使用限制資料集.csv",
    "preservatives": "化粧品防腐劑成分名稱及使用限制資料集.csv",
    "uv_filters": "uv-filters.csv",
}


def main(exports: Path) -> None:
    """Read both EU exports and Taiwan's lists and write one file per list."""
    for annex in ANNEXES:
        old = read_table(
            (exports / f"cosing-2024/annex.{annex}.csv").read_bytes(), annex
        )
        new = read_table(
            (exports / f"cosing-2026/annex_{annex}.csv").read_bytes(), annex
        )
        if new.updated is None:
            sys.exit(f"Annex {annex}: the export does not state its date.")
        rules = versions(
            corrected(read_annex(old.rows, annex)[0]),
            corrected(read_annex(new.rows, annex)[0]),
            new.updated,
        )
        write(f"eu-{annex}.json", rules)
    for name, filename in TFDA.items():
        table = read_table((exports / "tfda" / filename).read_bytes(), name)
        write(f"tw-{name}.json", corrected(read_list(table.rows, name)[0]))


def write(name: str, rules: Iterable[AnnexRule]) -> None:
    """Write rules, one to a line."""
    lines = [
        json.dumps(to_json(rule), ensure_ascii=False, separators=(",", ":"))
        for rule in rules
    ]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (DATA / name).write_text(text, "utf-8")
    print(f"{name}: {len(lines)} rules, {len(text.encode())} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
