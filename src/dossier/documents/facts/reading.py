"""Facts of a document, read from its labelled fields and from known forms of words.

Every value has the form that its label announces, or it is not read: a wrong fact is
worse than none.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from dossier.documents.facts import forms, usage, values
from dossier.documents.facts.dates import (
    DateOrder,
    DateReading,
    find_dates,
    proved_order,
    stated_order,
)
from dossier.documents.facts.fields import Field, FieldStanding, page_lines, read_fields
from dossier.documents.facts.folding import fold
from dossier.documents.facts.kinds import document_kind
from dossier.documents.facts.language import foreign_language
from dossier.documents.facts.periods import covered_periods, durations, months_after
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    PageText,
    Signature,
)
from dossier.documents.facts.vocabulary import (
    DATE_LABELS,
    MATERIAL_KINDS,
    Label,
    phrases,
)
from dossier.documents.facts.waivers import waiver_reasons

_NAMING_MATERIALS: Final = {*MATERIAL_KINDS, "toxicology", "formula", None}
DECLARED_KINDS: Final = frozenset({"gmp", "adverse", "packaging"})
CERTIFICATE_KINDS: Final = frozenset({"gmp", "notification", "credentials"})
TESTED_KINDS: Final = frozenset(
    {"stability", "microbial", "challenge", "efficacy", "product_spec",
     "raw_material_spec", "packaging"}
)  # fmt: skip
"""Kinds whose documents apply a method and end with a verdict."""

_CONFIDENCE: Final[Mapping[FieldStanding, Decimal]] = {
    FieldStanding.COLON: Decimal("0.97"),
    FieldStanding.CELL: Decimal("0.97"),
    FieldStanding.BILINGUAL: Decimal("0.95"),
    FieldStanding.COLUMN: Decimal("0.93"),
    FieldStanding.NEXT_LINE: Decimal("0.9"),
    FieldStanding.SPACE: Decimal("0.9"),
}
_PROVED_ELSEWHERE: Final = Decimal("0.9")
_FORM_CONFIDENCE: Final = Decimal("0.93")
_CERTIFICATE: Final = re.compile(phrases("certificate"))
_RANGE: Final = re.compile(
    fold(r"^\s*(?:起)?\s*(?:至|到|~|-|to|until|through|till|and)\s*(?:民國)?\s*$")
)
_BEFORE_RANGE: Final = re.compile(fold(r"^\s*(?:自|從|由|from|between|on|of)?\s*$"))
_BEFORE_DATE: Final = re.compile(
    fold(
        r"^\s*(?:(?:自|從|由|至|到|於|迄|為|from|on|of|is|the|until|to|through|西元|公元"
        r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day,?)\s*){0,3}$"
        r"|^\s*[a-z][a-z .'-]{1,30},\s*$"
    )
)
"""Words between a label and its date; the last form is a place."""

_DECLARATION: Final = re.compile(
    fold(r"聲明|切結|宣告|declaration|(?<![a-z])statement(?! of)|self-declar")
)
_USED_KINDS: Final = frozenset(
    {"usage", "label", "assessment", "toxicology", "notification"}
)
"""Kinds that say how the product is used: a test report says how it was applied."""

_SINGLE: Final = frozenset(
    {FactName.DOCUMENT_DATE, FactName.VALID_FROM, FactName.VALID_UNTIL,
     FactName.SIGNED_ON, FactName.PERIOD_FROM, FactName.PERIOD_UNTIL,
     FactName.USE_AMOUNT, FactName.USE_FREQUENCY}
)  # fmt: skip
"""Facts of which a document has one: different values contradict each other."""

ValueReader = Callable[[str], list[values.Value]]
_READERS: Final[Mapping[Label, tuple[FactName, ValueReader]]] = {
    Label.PRODUCT_NAME: (FactName.PRODUCT_NAME, values.product_names),
    Label.TRADE_NAME: (FactName.TRADE_NAME, values.product_names),
    Label.INCI_NAME: (FactName.INCI_NAME, values.inci_names),
    Label.PRODUCT_CODE: (FactName.PRODUCT_CODE, values.codes),
    Label.FORMULA: (FactName.FORMULA_CODE, values.codes),
    Label.FORMULA_VERSION: (FactName.FORMULA_VERSION, values.versions),
    Label.PACK_VERSION: (FactName.PACK_VERSION, values.versions),
    Label.COMPANY: (FactName.COMPANY, values.companies),
    Label.ISSUER: (FactName.ISSUER, values.companies),
    Label.SITE: (FactName.SITE, values.sites),
    Label.LOT: (FactName.LOT, values.lots),
    Label.SIGNER: (FactName.SIGNER_NAME, values.persons),
    Label.SIGNATURE: (FactName.SIGNER_NAME, values.signing_persons),
    Label.VERDICT: (FactName.VERDICT, values.verdicts),
    Label.RESULT: (FactName.VERDICT, values.plain_outcomes),
    Label.USE_METHOD: (FactName.USE_METHOD, usage.words),
    Label.BODY_SITE: (FactName.BODY_SITE, usage.words),
    Label.POPULATION: (FactName.POPULATION, usage.words),
    Label.USE_AMOUNT: (FactName.USE_AMOUNT, usage.amounts),
    Label.USE_FREQUENCY: (FactName.USE_FREQUENCY, usage.frequencies),
}
_LOT_LABELS: Final = frozenset({Label.LOT, Label.MANUFACTURE_DATE})
_USE_LABELS: Final = frozenset(
    {Label.USE_METHOD, Label.BODY_SITE, Label.POPULATION, Label.USE_AMOUNT,
     Label.USE_FREQUENCY}
)  # fmt: skip
_VERSION_LABELS: Final = frozenset({Label.VERSION, Label.FORMULA_VERSION})
_PROSE_LABELS: Final = frozenset({Label.VERDICT, Label.SIGNATURE, Label.LOT})
"""Labels whose value may stand inside a longer text."""


@dataclass(frozen=True, slots=True)
class _Document:
    pages: Sequence[PageText]
    kind: str | None
    order: DateOrder | None
    is_certificate: bool
    is_declaration: bool
    names_a_lot: bool


@dataclass(frozen=True, slots=True)
class _Found:
    name: FactName
    fact: Fact
    rank: int = 0


def read_facts(pages: Sequence[PageText]) -> dict[str, list[Fact]]:
    """Return the facts of a document by name, each value once, at its first place."""
    reading = document_kind(pages)
    kind = reading.kind
    fields_of = [read_fields(page) for page in pages]
    start = fold(next((p.text for p in pages if p.text.strip()), "")[:400])
    document = _Document(
        pages,
        kind,
        proved_order(page.text for page in pages),
        kind in CERTIFICATE_KINDS
        or (kind is None and _CERTIFICATE.search(start) is not None),
        _DECLARATION.search(fold(reading.raw)) is not None,
        any(field.label in _LOT_LABELS for fields in fields_of for field in fields),
    )
    found: list[_Found] = []
    signatures: list[tuple[forms.SignatureReading, int | None]] = []
    for page, fields in zip(pages, fields_of, strict=True):
        signs = forms.signatures(page_lines(page), fields)
        signatures.extend((sign, page.number) for sign in signs)
        beside_signatures = {sign.line + below for sign in signs for below in range(3)}
        # A mere "Date" beside or right below a signature is the date of signing.
        dated = [
            replace(field, label=Label.SIGNING_DATE)
            if field.label is Label.DATE and field.line in beside_signatures
            else field
            for field in fields
        ]
        found.extend(_from_fields(_without_history(dated), document))
        found.extend(_from_forms(page, document))
    if document.kind != "credentials":
        # A certificate of training is signed by the school, not by its subject.
        found.extend(_signature(signatures))
    found.extend(_of_document(document, found))
    language = foreign_language(pages)
    if language is not None:
        found.append(_Found(FactName.LANGUAGE, language))
    return _gathered(found)


def _without_history(fields: Sequence[Field]) -> list[Field]:
    """Leave out the earlier versions of a table of revisions, and their dates.

    A version that stands outside of the table is the present one.
    """
    versions = {
        field.line: found[0].value
        for field in fields
        if field.standing is FieldStanding.COLUMN and field.label in _VERSION_LABELS
        for found in [values.versions(field.value)]
        if found
    }
    if len(versions) < len(("before", "now")):
        return list(fields)
    is_stated = any(
        field.label in _VERSION_LABELS and field.standing is not FieldStanding.COLUMN
        for field in fields
    )
    newest = max(
        versions,
        key=lambda line: [
            (int(part) if part.isdigit() else 0, part)
            for part in versions[line].split(".")
        ],
    )
    return [
        field
        for field in fields
        if field.line not in versions
        or (field.line == newest and not (is_stated and field.label in _VERSION_LABELS))
    ]


def _from_fields(fields: Sequence[Field], document: _Document) -> Iterator[_Found]:
    for number, field in enumerate(fields):
        before = fields[number - 1] if number else None
        if field.label in DATE_LABELS:
            yield from _dates(field, document)
        elif field.label is Label.VERSION:
            # Of the formula: after its code, or on the formula sheet.
            follows_formula = (
                before is not None
                and before.label is Label.FORMULA
                and before.line == field.line
                and before.page == field.page
            )
            if follows_formula or document.kind == "formula":
                yield from _named(FactName.FORMULA_VERSION, field, values.versions)
        elif field.label is Label.PERIOD:
            if document.is_declaration or document.kind == "adverse":
                yield from _periods(field.value, field.page, document)
        elif field.label in _USE_LABELS:
            if document.kind in _USED_KINDS:
                yield from _use(field)
        elif field.label in _READERS:
            yield from _labelled(field, document)
        else:
            yield from _by_kind(field, document)


def _by_kind(field: Field, document: _Document) -> Iterator[_Found]:
    """Read labels that say different things in documents of different kinds."""
    if field.label is Label.PERSON:
        # "Name" in an assessment may be the product's.
        is_person = document.kind == "assessment" and "姓名" in field.words
        if document.kind == "credentials" or is_person:
            yield from _named(FactName.SIGNER_NAME, field, values.persons)
        elif document.kind in {"gmp", *TESTED_KINDS}:
            # "Issued to" a company with its legal form.
            yield from _uncertain_end(FactName.COMPANY, field, values.companies)
    elif field.label is Label.DECLARER and document.is_declaration:
        persons = list(_named(FactName.SIGNER_NAME, field, values.persons))
        # "聲明人" may be the company.
        yield from persons or _uncertain_end(FactName.COMPANY, field, values.companies)
    elif field.label is Label.METHOD and document.kind == "usage":
        yield from _named(FactName.USE_METHOD, field, usage.words)
    elif field.label is Label.ADDRESS and document.kind == "gmp":
        yield from _named(FactName.SITE, field, values.sites)


def _name_of(field: Field, document: _Document) -> FactName | None:
    """Return what a label announces in a document of this kind, if anything."""
    name, _ = _READERS[field.label]
    words, kind = fold(field.words), document.kind
    if field.label is Label.PRODUCT_NAME and kind in MATERIAL_KINDS:
        return FactName.TRADE_NAME
    if field.label is Label.COMPANY and kind == "notification" and "制造厂" in words:
        # The plant; who notifies is the 業者.
        return FactName.SITE
    if field.label is Label.TRADE_NAME and kind not in _NAMING_MATERIALS:
        # On a label or a notification 商品名 is the name of the product.
        return FactName.PRODUCT_NAME if "商品名" in words else None
    is_read = {
        # The "item code" of a packaging part is not the product's.
        Label.PRODUCT_CODE: kind != "packaging"
        or re.search("产品|成品|product", words) is not None,
        Label.VERDICT: kind in {*TESTED_KINDS, None},
        Label.RESULT: kind in {*TESTED_KINDS, None},
        Label.SIGNER: kind != "credentials",
        Label.SIGNATURE: kind != "credentials",
    }
    return name if is_read.get(field.label, True) else None


def _labelled(field: Field, document: _Document) -> Iterator[_Found]:
    _, reader = _READERS[field.label]
    name = _name_of(field, document)
    if name is None:
        return
    if field.continues and field.label not in _PROSE_LABELS:
        yield from _uncertain_end(name, field, reader)
        return
    reader = values.sites if name is FactName.SITE else reader
    yield from _named(name, field, reader)
    if field.label is Label.PRODUCT_NAME:
        yield from _named(FactName.FORMULA_CODE, field, values.codes_after_name)
        yield from _named(FactName.FORMULA_VERSION, field, values.versions_after_code)
    if field.label is Label.FORMULA:
        yield from _named(FactName.FORMULA_VERSION, field, values.versions_after_code)


def _use(field: Field) -> Iterator[_Found]:
    """Read how the product is used; a vague amount is stated, but not known."""
    name, reader = _READERS[field.label]
    if field.label is Label.USE_FREQUENCY:
        found = usage.frequencies(field.value, field.words)
    else:
        found = reader(field.value)
    for value in found:
        confidence = _CONFIDENCE[field.standing]
        yield _Found(name, _fact(value.value, value.raw, field.page, confidence))
    if not found and usage.is_vague_amount(field.value):
        yield _Found(name, _unknown(field.value[: usage.LONGEST_RAW], field.page))


def _periods(text: str, page: int | None, document: _Document) -> Iterator[_Found]:
    """Read what a record covers, or for how long a declaration of a site holds."""
    names = (FactName.PERIOD_FROM, FactName.PERIOD_UNTIL)
    if document.kind == "gmp":
        names = (FactName.VALID_FROM, FactName.VALID_UNTIL)
    for period in covered_periods(text, document.order):
        for name, day in zip(names, (period.first, period.last), strict=True):
            yield _Found(
                name, _fact(day.isoformat(), period.raw, page, _FORM_CONFIDENCE)
            )


def _named(name: FactName, field: Field, reader: ValueReader) -> Iterator[_Found]:
    confidence = _CONFIDENCE[field.standing]
    for value in reader(field.value):
        yield _Found(name, _fact(value.value, value.raw, field.page, confidence))


def _uncertain_end(
    name: FactName, field: Field, reader: ValueReader
) -> Iterator[_Found]:
    """Read what is whole in itself although the next line may continue the value."""
    for value in reader(field.value):
        if value.is_whole:
            yield _Found(
                name,
                _fact(
                    value.value, value.raw, field.page, _CONFIDENCE[FieldStanding.SPACE]
                ),
            )


def _fact(value: str, raw: str, page: int | None, confidence: Decimal) -> Fact:
    return Fact(value, raw, page, None, confidence, FactState.READ)


def _unknown(raw: str, page: int | None, value: str = "") -> Fact:
    return Fact(value, raw, page, None, Decimal(0), FactState.UNKNOWN)


def _dates(field: Field, document: _Document) -> Iterator[_Found]:
    name = _DATE_NAMES.get(field.label)
    if field.label is Label.EXPIRY:
        # 有效期限 on a report or a label is the life of the goods, not of the document.
        if document.is_certificate:
            name = FactName.VALID_UNTIL
        elif document.names_a_lot:
            name = FactName.LOT_EXPIRY_DATE
    if name is None:
        return
    for each_name, reading in _named_dates(name, field, document):
        raw = field.value[reading.start : reading.end].strip()
        rank = _DATE_RANK[field.label]
        day = reading.last_day if each_name in _LAST_DAYS else reading.value
        if day is None:
            yield _Found(each_name, _unknown(raw, field.page), rank)
            continue
        confidence = _CONFIDENCE[field.standing]
        if reading.is_proved_elsewhere:
            confidence = _PROVED_ELSEWHERE
        yield _Found(
            each_name, _fact(day.isoformat(), raw, field.page, confidence), rank
        )


def _named_dates(
    name: FactName, field: Field, document: _Document
) -> list[tuple[FactName, DateReading]]:
    """Return the date that a field begins with, or the two of a range of validity."""
    order = stated_order(fold(field.words)) or document.order
    readings = find_dates(field.value, order)
    folded = fold(field.value)
    if not readings:
        return []
    before = folded[: readings[0].start]
    is_range = len(readings) > 1 and bool(
        _RANGE.match(folded[readings[0].end : readings[1].start])
    )
    if not is_range:
        return [(name, readings[0])] if _BEFORE_DATE.match(before) else []
    if field.label not in _RANGE_LABELS or not _BEFORE_RANGE.match(before):
        return []
    return [(FactName.VALID_FROM, readings[0]), (FactName.VALID_UNTIL, readings[1])]


_LAST_DAYS: Final = frozenset({FactName.VALID_UNTIL, FactName.LOT_EXPIRY_DATE})
"""What lasts until a month lasts until its end."""

_RANGE_LABELS: Final = frozenset({Label.EXPIRY, Label.VALIDITY, Label.VALID_FROM})
_DATE_RANK: Final[Mapping[Label, int]] = {
    Label.REVISION_DATE: 3,
    Label.ISSUE_DATE: 2,
    Label.VALIDITY: 1,
    Label.EXPIRY: 1,
    Label.DATE: 1,
    Label.SIGNING_DATE: 1,
    Label.VALID_FROM: 1,
    Label.LOT_EXPIRY: 1,
    Label.MANUFACTURE_DATE: 1,
}
"""Of several dates the one with the most specific label is the document's."""


_DATE_NAMES: Final[Mapping[Label, FactName]] = {
    Label.DATE: FactName.DOCUMENT_DATE,
    Label.ISSUE_DATE: FactName.DOCUMENT_DATE,
    Label.REVISION_DATE: FactName.DOCUMENT_DATE,
    Label.SIGNING_DATE: FactName.SIGNED_ON,
    Label.VALID_FROM: FactName.VALID_FROM,
    Label.VALIDITY: FactName.VALID_UNTIL,
    Label.LOT_EXPIRY: FactName.LOT_EXPIRY_DATE,
    Label.MANUFACTURE_DATE: FactName.MANUFACTURE_DATE,
}


_FORMS: Final[Sequence[tuple[FactName, ValueReader, frozenset[str | None] | None]]] = (
    (FactName.CAS_NUMBER, forms.cas_numbers, None),
    (FactName.METHOD, forms.methods, TESTED_KINDS | {None}),
    (FactName.WAIVER_REASON, waiver_reasons, frozenset({"assessment"})),
    (FactName.SIGNER_NAME, forms.certified_persons, frozenset({"credentials"})),
    (FactName.COMPANY, forms.certified_companies, frozenset({"gmp"})),
    (FactName.COMPANY, forms.declaring_companies, DECLARED_KINDS),
    (FactName.SITE, forms.certified_sites, frozenset({"gmp"})),
)
"""What is read in a whole page of certain kinds; `None` stands for all."""


def _from_forms(page: PageText, document: _Document) -> Iterator[_Found]:
    """Read what is stated without a label, in a known form of words."""
    lines = page_lines(page)
    text = "\n".join(lines)
    for name, reader, kinds in _FORMS:
        for value in reader(text) if kinds is None or document.kind in kinds else ():
            yield _Found(
                name, _fact(value.value, value.raw, page.number, _FORM_CONFIDENCE)
            )
    for raw in forms.dates_alone(lines):
        yield from _stated_date(FactName.DOCUMENT_DATE, raw, page.number, document)
    if document.is_certificate:
        for raw in forms.validity_sentences(text):
            yield from _stated_date(FactName.VALID_UNTIL, raw, page.number, document)
    if document.kind == "adverse":
        yield from _periods(text, page.number, document)


def _stated_date(
    name: FactName, raw: str, page: int | None, document: _Document
) -> Iterator[_Found]:
    reading = find_dates(raw, document.order)[0]
    if reading.value is not None:
        fact = _fact(reading.value.isoformat(), raw, page, _FORM_CONFIDENCE)
        yield _Found(name, fact, rank=1 if name is FactName.VALID_UNTIL else 0)


def _of_document(document: _Document, found: Sequence[_Found]) -> Iterator[_Found]:
    """Read what concerns the whole document: its head, signature and first date."""
    first = next((page for page in document.pages if page.text.strip()), None)
    if first is None:
        return
    names = {each.name for each in found}
    if FactName.ISSUER not in names and document.kind != "label":
        for value in forms.letterhead(page_lines(first)):
            fact = _fact(value.value, value.raw, first.number, Decimal("0.9"))
            yield _Found(FactName.ISSUER, fact)
    if FactName.DOCUMENT_DATE not in names:
        signed = [each for each in found if each.name is FactName.SIGNED_ON]
        for each in signed[:1]:
            yield _Found(FactName.DOCUMENT_DATE, each.fact)
    if document.is_certificate and FactName.VALID_UNTIL not in names:
        yield from _end_of_validity(document, found)


def _end_of_validity(document: _Document, found: Sequence[_Found]) -> Iterator[_Found]:
    """Compute until when a certificate is valid that states for how many years."""
    starts = {
        each.fact.value
        for name in (FactName.DOCUMENT_DATE, FactName.SIGNED_ON)
        for each in found
        if each.name is name and each.fact.state is FactState.READ
    }
    if len(starts) != 1:
        return
    start = date.fromisoformat(starts.pop())
    for page in document.pages:
        for months, raw in durations("\n".join(page_lines(page))):
            end = months_after(start, months).isoformat()
            yield _Found(
                FactName.VALID_UNTIL, _fact(end, raw, page.number, _PROVED_ELSEWHERE)
            )


def _signature(
    signatures: Sequence[tuple[forms.SignatureReading, int | None]],
) -> Iterator[_Found]:
    """State whether the document is signed; contradicting signs leave it unknown."""
    states = {reading.value for reading, _ in signatures}
    decisive = next(
        (s for s in (Signature.DRAFT, Signature.UNSIGNED) if s in states), None
    )
    state = decisive or (states.pop() if len(states) == 1 else Signature.UNKNOWN)
    reading, page = next(
        (each for each in signatures if each[0].value is state), (None, None)
    )
    if reading is None and not signatures:
        return
    raw = (reading or signatures[0][0]).raw
    if state is Signature.UNKNOWN:
        fact = _unknown(raw, page or signatures[0][1], state)
    else:
        fact = _fact(state, raw, page, _FORM_CONFIDENCE)
    yield _Found(FactName.SIGNATURE, fact)
    for each, place in signatures:
        for person in each.persons:
            fact = _fact(person.value, person.raw, place, _FORM_CONFIDENCE)
            yield _Found(FactName.SIGNER_NAME, fact)


def _gathered(found: Sequence[_Found]) -> dict[str, list[Fact]]:
    """Return each value once; contradicting values of a single fact become unknown."""
    facts: dict[str, list[Fact]] = {}
    for name in FactName:
        ranked = [each for each in found if each.name is name]
        if name in _SINGLE and ranked:
            top = max(each.rank for each in ranked)
            ranked = [each for each in ranked if each.rank == top]
        kept: dict[tuple[str, str], Fact] = {}
        for each in ranked:
            key = values.comparable(name, each.fact)
            kept.setdefault((key, each.fact.state), each.fact)
        listed = list(kept.values())
        read = [fact for fact in listed if fact.state is FactState.READ]
        if name in _SINGLE and len({fact.value for fact in read}) > 1:
            read = []
            listed = [_unknown(fact.raw, fact.page) for fact in listed]
        if listed:
            facts[name] = read or listed
    return facts
