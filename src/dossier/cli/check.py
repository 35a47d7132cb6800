"""`dossier check`: a formula against the ingredient lists of a market.

Exit codes as in `ending`: 0 whatever the verdict, 2 where the input cannot be used.
"""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from dossier.cli.ending import BROKEN, UNUSABLE, end, require_file
from dossier.core.errors import AppError
from dossier.core.findings import finding_json
from dossier.core.settings import Settings
from dossier.integrations.parsing.exceptions import UnreadableFileError
from dossier.integrations.parsing.reader import (
    SandboxBrokenError,
    SandboxedBooks,
    limits_of,
)
from dossier.products.categories import category_of
from dossier.products.constants import Use
from dossier.products.exceptions import FormulaTooLongError, NoFormulaFoundError
from dossier.products.formula_import.lines import ParsedLine
from dossier.products.formula_import.pipeline import ParsedFormula, parse_formula
from dossier.products.formula_import.types import FormulaSource
from dossier.regulations.constants import Form, Market, Population, Site, UserGroup
from dossier.regulations.rules.check import CheckedLine, CheckQuestion
from dossier.regulations.rules.data_sets import DataSet
from dossier.regulations.rules.facts import ProductFacts, check_use
from dossier.regulations.rules.findings import SourceFile
from dossier.regulations.service import answer_check
from dossier.regulations.storage import FOLDER, data_set_named

app = typer.Typer()
COMMAND = "check"


Formula = Annotated[Path, typer.Argument(help="An xlsx, xls, ods or csv.")]
InMarket = Annotated[Market, typer.Option(help="Whose lists are asked.")]
OfCategory = Annotated[str, typer.Option(help="As in `dossier categories`.")]
OfUse = Annotated[Use | None, typer.Option(help="Checked against the category's.")]
InForm = Annotated[Form | None, typer.Option(help="The dosage form.")]
OnSites = Annotated[
    list[Site] | None, typer.Option(help="Where applied; may be repeated.")
]
ForPopulation = Annotated[Population | None, typer.Option(help="For whom it is made.")]
ByUser = Annotated[UserGroup | None, typer.Option(help="Who applies it.")]
OfPh = Annotated[str | None, typer.Option(help="The product's pH.")]
MixedShare = Annotated[
    str | None, typer.Option(help="Share of the formula after mixing: 0.5 for 1:1.")
]
AsOf = Annotated[
    str | None, typer.Option(help="The day of the law, YYYY-MM-DD; else today.")
]
PlacedOn = Annotated[
    str | None, typer.Option(help="Day of first placing on the market; else as-of.")
]
FromSet = Annotated[
    str | None, typer.Option(help="A data set's id; else the shipped one.")
]
SheetName = Annotated[str | None, typer.Option(help="The sheet to read.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command(COMMAND)
def check(  # noqa: PLR0913 - each is a flag
    formula: Formula,
    *,
    market: InMarket,
    category: OfCategory,
    use: OfUse = None,
    form: InForm = None,
    site: OnSites = None,
    population: ForPopulation = None,
    user: ByUser = None,
    ph: OfPh = None,
    mixed_share: MixedShare = None,
    as_of: AsOf = None,
    placed_on: PlacedOn = None,
    data_set: FromSet = None,
    sheet: SheetName = None,
    as_json: AsJson = False,
) -> None:
    """Check each ingredient against the lists of a market on a day."""
    require_file(COMMAND, formula, as_json=as_json)
    try:
        facts = ProductFacts(
            category=category_of(category),
            form=form,
            sites=tuple(site or ()),
            population=population,
            user=user,
            ph=_number("--ph", ph, Decimal(0), Decimal(14)),
            mixed_share=_number("--mixed-share", mixed_share, Decimal(0), Decimal(1)),
        )
        check_use(facts.category, use)
        day = _day("--as-of", as_of) or datetime.now(UTC).date()
        question = CheckQuestion(
            market=market,
            facts=facts,
            as_of=day,
            placed_on=_day("--placed-on", placed_on) or day,
        )
        content = asyncio.run(
            _check(
                formula,
                sha256(formula.read_bytes()).hexdigest(),
                question,
                data_set_named(data_set, Settings().home / FOLDER),
                sheet,
            )
        )
    except AppError as exc:
        end(COMMAND, UNUSABLE, exc.detail, as_json=as_json)
    except (ValueError, UnreadableFileError) as exc:
        detail = getattr(exc, "detail", None) or str(exc)
        end(COMMAND, UNUSABLE, detail, as_json=as_json)
    except (SandboxBrokenError, OSError) as exc:
        end(COMMAND, BROKEN, str(exc) or type(exc).__name__, as_json=as_json)
    if as_json:
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("\n".join(_text(content)))


async def _check(
    file: Path,
    digest: str,
    question: CheckQuestion,
    data_set: DataSet,
    sheet: str | None,
) -> dict[str, Any]:
    books = SandboxedBooks(limits_of(Settings().limits))
    book = await books.read_workbook(file, file.name)
    try:
        parsed = parse_formula(
            book, FormulaSource(filename=file.name, sha256=digest), sheet=sheet
        )
    except (NoFormulaFoundError, FormulaTooLongError) as exc:
        raise ValueError(exc.detail) from exc
    source = SourceFile(file.name, digest)
    content = answer_check(map(_line, parsed.lines), question, data_set, source)
    content["findings"] = [*_of_formula(parsed), *content["findings"]]
    return content


def _of_formula(parsed: ParsedFormula) -> list[dict[str, Any]]:
    """Return what is wrong with the sheet itself, in the same shape."""
    return [finding_json(each) | {"rule": None} for each in parsed.findings]


def _line(line: ParsedLine) -> CheckedLine:
    return CheckedLine(
        position=line.position,
        inci=line.inci,
        trade_name=line.trade_name,
        cas=line.cas,
        ec=line.ec,
        function=line.function,
        is_of_blend=line.is_exploded,
        lower=line.percent_lower,
        upper=line.percent_upper,
        sheet=line.sheet or None,
        cell=line.cell,
    )


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{option}: {text!r} is no day (YYYY-MM-DD)."
        raise ValueError(msg) from None


def _number(
    option: str, text: str | None, low: Decimal, high: Decimal
) -> Decimal | None:
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and low <= number <= high):
        msg = f"{option}: {text!r} is no number from {low} to {high}."
        raise ValueError(msg)
    return number


def _text(content: dict[str, Any]) -> list[str]:
    lines = [
        f"{line['cell'] or '':>6}  {line['max'] or '?':>10} %  {line['name']}: "
        + ", ".join(dict.fromkeys(v["verdict"] for v in line["verdicts"]))
        for line in content["lines"]
    ]
    for finding in content["findings"]:
        words = f"{finding['severity']}: {finding['message']['en']}"
        lines.append(" ".join(words.split()))
    about = content["data_set"]
    lines.append(f"Data: {about['id']}, {about['source']}, as of {about['as_of']}")
    lines += [f"Known gap: {gap}" for gap in about["known_gaps"]]
    return lines
