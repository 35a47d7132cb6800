"""Routes of regulations: checks of formulas, and the data that they rest on."""

from typing import Any

from fastapi import APIRouter, Depends

from dossier.core.clock import now
from dossier.core.web import get_actor
from dossier.products.categories import category_of
from dossier.regulations import service
from dossier.regulations.rules.check import CheckedLine, CheckQuestion
from dossier.regulations.rules.facts import ProductFacts, check_use
from dossier.regulations.schemas import (
    CheckBatchRequest,
    CheckBatchResponse,
    CheckRequest,
    DataSetList,
    FormulaCheckResponse,
)

# A check stores nothing and reads nothing of an organisation: an actor is enough.
router = APIRouter(tags=["regulations"], dependencies=[Depends(get_actor)])


@router.post("/checks", response_model=FormulaCheckResponse)
async def check_formula(body: CheckRequest) -> dict[str, Any]:
    """Check a formula against the ingredient lists of a market on a day."""
    return await _answer(body)


@router.post("/checks/batch", response_model=CheckBatchResponse)
async def check_formulas(body: CheckBatchRequest) -> dict[str, Any]:
    """Check several formulas; the answers come in their order."""
    return {"items": [await _answer(each) for each in body.checks]}


@router.get("/regulations/data-sets", response_model=DataSetList)
async def list_data_sets() -> dict[str, Any]:
    """List the data sets, as of when each is and what it is known to lack."""
    return {"items": service.describe_sets()}


async def _answer(body: CheckRequest) -> dict[str, Any]:
    category = category_of(body.category)
    check_use(category, body.use)
    as_of = body.as_of or now().date()
    question = CheckQuestion(
        market=body.market,
        facts=ProductFacts(
            category=category,
            form=body.form,
            sites=tuple(body.sites),
            population=body.population,
            user=body.user,
            ph=body.ph,
            mixed_share=body.mixed_share,
        ),
        as_of=as_of,
        placed_on=body.placed_on or as_of,
    )
    lines = [
        CheckedLine(
            position=position,
            inci=each.inci,
            trade_name=each.trade_name,
            cas=each.cas,
            ec=each.ec,
            function=each.function,
            lower=each.percent_min,
            upper=each.percent_min if each.percent_max is None else each.percent_max,
        )
        for position, each in enumerate(body.lines, start=1)
    ]
    return await service.answer_check_aside(lines, question)
