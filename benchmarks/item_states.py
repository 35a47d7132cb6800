"""`item_states`: states of items of made-up dossiers, as the board computes them.

Papers are read for kind and facts, matched as in a build, and judged by the rules of
the board. `python -m benchmarks.item_states -v` lists the items whose state is wrong.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from benchmarks.document_facts import wilson
from benchmarks.dossiers import AS_OF, MAKER, OTHER, Dossier, Paper, dossiers
from docx import Document

from dossier.documents.facts.kinds import document_kind
from dossier.documents.facts.reading import read_facts
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    KindReading,
    MaterialIdentity,
    OtherProduct,
    PageText,
    ProductIdentity,
    SiteIdentity,
)
from dossier.integrations.parsing.documents import read_document
from dossier.pif.constants import DecisionKind
from dossier.pif.rules.board import Decision, Evidence, EvidenceLink, board_items
from dossier.pif.rules.evidence import Confirmation, ReadDocument, ReadingState
from dossier.pif.rules.findings import board_findings
from dossier.pif.rules.matching import DocumentFacts, propose, targets

DOSSIERS = 120
AMPLE = Decimal("0.97")
AT = datetime(2026, 8, 1, tzinfo=UTC)
DUE = AS_OF.replace(year=AS_OF.year - 1)


def docx_bytes(text: str) -> bytes:
    """Return a DOCX with a paragraph for each line, and tables of lines with tabs."""
    document = Document()
    table = None
    for line in text.splitlines():
        cells = line.split("\t")
        if len(cells) == 1:
            document.add_paragraph(line)
            table = None
            continue
        if table is None or len(table.columns) != len(cells):
            table = document.add_table(rows=0, cols=len(cells))
        for cell, words in zip(table.add_row().cells, cells, strict=True):
            cell.text = words
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def pages_of(paper: Paper) -> tuple[PageText, ...]:
    """Return the pages of a paper, through a DOCX file where it is one."""
    if not paper.is_docx:
        return (PageText(1, paper.text),)
    text = read_document(BytesIO(docx_bytes(paper.text)), filename=paper.filename)
    return tuple(PageText(page.number, page.text) for page in text.pages)


def read_paper(number: int, paper: Paper) -> ReadDocument:
    """Return a paper as the board sees it; a page without text is unreadable."""
    pages = pages_of(paper)
    is_read = any(page.text.strip() for page in pages)
    return ReadDocument(
        document_id=uuid5(NAMESPACE_URL, f"{number}/{paper.filename}"),
        filename=paper.filename,
        sha256=sha256(paper.text.encode()).hexdigest(),
        reading=ReadingState.READ if is_read else ReadingState.UNREADABLE,
        kind=document_kind(pages) if is_read else None,
        facts=read_facts(pages) if is_read else {},
        pages=pages if is_read else (),
    )


def formula_sheet(dossier: Dossier) -> ReadDocument:
    """Return the document of the formula, with its version."""
    fact = Fact(dossier.version, dossier.version, 1, None, AMPLE, FactState.READ)
    return ReadDocument(
        document_id=uuid5(NAMESPACE_URL, f"{dossier.number}/formula"),
        filename="formula.xlsx",
        sha256="0" * 64,
        kind=KindReading("formula", "formula", 1, AMPLE),
        facts={FactName.FORMULA_VERSION: (fact,)},
    )


def evidence_of(dossier: Dossier) -> Evidence:
    """Return what the board is computed from, with the links of a build."""
    documents = [read_paper(dossier.number, paper) for paper in dossier.papers]
    sheet = formula_sheet(dossier)
    links = [
        EvidenceLink(document.document_id, target.item, target.requirement)
        for document in documents
        for target in targets(_serves(document))
    ]
    by_name = {document.filename: document for document in documents}
    materials = dossier.materials if dossier.has_formula else ()
    return Evidence(
        as_of=AS_OF,
        phase_in_on=None if dossier.is_exempt else DUE,
        filled=frozenset(dossier.filled),
        has_formula=dossier.has_formula,
        links=tuple(links),
        decisions=tuple(
            Decision(
                kind=DecisionKind(kind),
                item=item,
                reason="2025",
                actor_name="Mei",
                at=AT,
            )
            for item, kind in dossier.decisions.items()
        ),
        documents=(*documents, sheet),
        confirmations=tuple(
            _confirmation(item, by_name[name])
            for item, name in dossier.confirmed.items()
        ),
        identity=ProductIdentity(
            names=dossier.names,
            codes=(dossier.code,),
            materials=tuple(
                MaterialIdentity((trade,), (inci,), (cas,))
                for trade, inci, cas in materials
            ),
            sites=(
                SiteIdentity(f"{MAKER[0]} {MAKER[1]}", MAKER[2 if dossier.zh else 3]),
            ),
            others=(OtherProduct(OTHER),),
        ),
        formula_document_id=sheet.document_id,
        site_steps=("調製、充填 compounding, filling",),
    )


def _serves(document: ReadDocument) -> tuple[str, ...]:
    text = "\n".join(page.text for page in document.pages)
    facts = DocumentFacts(document.document_id, document.filename, text, document.kind)
    return propose(facts).serves


def _confirmation(item: int, document: ReadDocument) -> Confirmation:
    return Confirmation(
        item=item,
        requirement=None,
        document_id=document.document_id,
        sha256=document.sha256,
        reason="read on paper",
        actor_name="Mei",
        at=AT,
    )


def score(listed: Iterable[Dossier], *, verbose: bool = False) -> dict[str, Any]:
    """Return how many states are right, and which were wrongly `present`."""
    table: Counter[tuple[str, str]] = Counter()
    found_failing = stated_failing = papers = 0
    start = time.perf_counter()
    for dossier in listed:
        papers += len(dossier.papers)
        evidence = evidence_of(dossier)
        items = board_items(evidence)
        fails = {
            each.item
            for each in board_findings(items, evidence)
            if each.code == "report-fails"
        }
        stated_failing += len(dossier.failing)
        found_failing += len(dossier.failing & fails) - len(fails - dossier.failing)
        for item in items:
            number = item.rule.number
            expected, got = dossier.expected[number], str(item.state)
            table[expected, got] += 1
            if verbose and expected != got:
                situation = f"dossier {dossier.number} item {number}"
                name = dossier.situations[number]
                print(f"{situation} ({name}): {got}, not {expected}")
    seconds = time.perf_counter() - start
    total = sum(table.values())
    right = sum(count for (expected, got), count in table.items() if expected == got)
    low, high = wilson(right, total)
    return {
        "items": total,
        "papers": papers,
        "right": round(right / total, 4),
        "interval": [round(low, 4), round(high, 4)],
        "wrong present": sum(
            count
            for (expected, got), count in table.items()
            if got == "present" != expected
        ),
        "failing reports found": f"{found_failing} of {stated_failing}",
        "seconds": round(seconds, 1),
        "states": {
            state: {
                got: count
                for (expected, got), count in sorted(table.items())
                if expected == state
            }
            for state in sorted({expected for expected, _ in table})
        },
    }


async def measure() -> dict[str, Any]:
    """Score all dossiers of the first seed."""
    return score(dossiers(DOSSIERS))


if __name__ == "__main__":
    for key, value in score(dossiers(DOSSIERS), verbose="-v" in sys.argv).items():
        print(f"{key}: {value}")
