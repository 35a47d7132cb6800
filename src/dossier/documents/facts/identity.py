"""Whether a document is about this product, by its kind.

Documents of the finished product are known by name, alias or code; those of materials
by trade name, INCI name or CAS number; GMP certificates by site; credentials by the
name under the signed assessment (PIF Regulation, Art. 3(1)16 with Art. 4 to 6).
"Another product" needs a conflicting identifier or a known other product: a name that
merely differs may be an alias that nobody entered. Companies never decide: the names of
laboratories, suppliers and contract makers rightly differ from the holder's.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from dossier.documents.facts.folding import (
    CJK,
    address_key,
    company_key,
    fold,
    has_cjk,
    name_key,
    person_keys,
    pieces,
    product_key,
)
from dossier.documents.facts.types import (
    Fact,
    FactName,
    FactState,
    IdentityReading,
    IdentityReason,
    IdentityState,
    PageText,
    ProductIdentity,
)
from dossier.documents.facts.vocabulary import MATERIAL_KINDS, phrases

WATER: Final = "7732-18-5"
"""Nearly every formula contains water; it identifies no material."""

_LATIN_NAME: Final = re.compile(r"[a-z]{6,}")
_ZH_NAME: Final = re.compile(rf"[{CJK}]{{2,}}")
_VARIANT: Final = re.compile(phrases("name_variant"))
"""Words that beside a name mark a variant of the product, and are no name."""

_MIXED: Final = re.compile(r"\(?(?<![a-z])and(?![a-z])\)?|[,;、]", re.IGNORECASE)
"""Between the INCI names of a blend in one line of the formula."""

SHORTEST_ZH_NAME: Final = 4
SHORTEST_LATIN_NAME: Final = 8
"""Characters of a name's key for which an occurrence in running text counts."""

_Facts = Mapping[str, Sequence[Fact]]


def judge_identity(
    kind: str | None,
    facts: _Facts,
    product: ProductIdentity,
    pages: Sequence[PageText] = (),
) -> IdentityReading:
    """Judge a document by the facts that identify its kind.

    With `pages`, a document of the finished product without any labelled name or code
    is this product's where its text contains the product's whole name.
    """
    if kind in MATERIAL_KINDS:
        return _material(facts, product)
    if kind == "gmp":
        return _site(facts, product)
    if kind == "credentials":
        return _signer(facts, product)
    reading = _finished(facts, product, pages)
    if kind == "toxicology" and reading.reason is IdentityReason.NO_IDENTIFIER:
        # A profile of the ingredients may name them without the product.
        return _material(facts, product)
    return reading


def _read(facts: _Facts, *names: FactName) -> list[Fact]:
    return [
        fact
        for name in names
        for fact in facts.get(name, ())
        if fact.state is FactState.READ
    ]


def _reading(
    state: IdentityState, reason: IdentityReason, fact: Fact | None = None
) -> IdentityReading:
    if fact is None:
        return IdentityReading(state, reason)
    return IdentityReading(state, reason, fact.raw, fact.page)


def _finished(
    facts: _Facts, product: ProductIdentity, pages: Sequence[PageText]
) -> IdentityReading:
    names = _read(facts, FactName.PRODUCT_NAME, FactName.TRADE_NAME)
    codes = _read(facts, FactName.PRODUCT_CODE)
    formulas = _read(facts, FactName.FORMULA_CODE)
    own_codes = {name_key(code) for code in product.codes}
    own_formulas = own_codes | {name_key(code) for code in product.formula_codes}
    names_of_others = [name for other in product.others for name in other.names]
    this = (
        _first(
            names,
            lambda fact: (
                _is_named(fact.value, product.names, product.brands)
                or _is_named_in_one_script(fact.value, product.names, names_of_others)
            ),
        )
        or _first(codes, lambda fact: name_key(fact.value) in own_codes)
        or _first(formulas, lambda fact: name_key(fact.value) in own_formulas)
    )
    other = _known_other(names, codes, product)
    conflict = None
    if own_codes and not _first(codes, lambda fact: name_key(fact.value) in own_codes):
        # One of ours with a size or a shade added is no conflict.
        conflict = _first(
            codes,
            lambda fact: (
                not any(
                    name_key(fact.value).startswith(own)
                    or own.startswith(name_key(fact.value))
                    for own in own_codes
                )
            ),
        )
    against = other or conflict
    if this and against:
        return _reading(
            IdentityState.UNKNOWN, IdentityReason.CONTRADICTING_IDENTIFIERS, against
        )
    if this:
        reason = IdentityReason.FORMULA_CODE_MATCHES
        if this in names:
            reason = IdentityReason.NAME_MATCHES
        elif this in codes:
            reason = IdentityReason.CODE_MATCHES
        return _reading(IdentityState.THIS_PRODUCT, reason, this)
    if against:
        reason = IdentityReason.CODE_CONFLICTS
        if other:
            reason = IdentityReason.KNOWN_OTHER_PRODUCT
        return _reading(IdentityState.OTHER_PRODUCT, reason, against)
    if names or codes:
        reason = IdentityReason.NAME_DIFFERS
        return _reading(IdentityState.UNKNOWN, reason, (names or codes)[0])
    return _named_in_text(product, pages)


def _first(facts: Sequence[Fact], accepts: Callable[[Fact], bool]) -> Fact | None:
    return next((fact for fact in facts if accepts(fact)), None)


def _is_named(value: str, names: Iterable[str], brands: Iterable[str] = ()) -> bool:
    """Return whether a printed name is one of `names`, or two in two scripts."""
    keys = {product_key(name) for name in names} - {""}
    keys |= {name_key(brand) + key for brand in brands for key in keys}
    printed_key = product_key(value)
    if printed_key in keys or any(
        printed_key == first + second for first in keys for second in keys
    ):
        return True
    parts = [product_key(part) for part in pieces(value)]
    return len(parts) > 1 and all(part in keys for part in parts)


def _is_named_in_one_script(
    value: str, names: Sequence[str], others: Iterable[str]
) -> bool:
    """Return whether a name in two scripts holds the product's, known in one.

    玫瑰霜 Rose Cream is named 玫瑰霜 where no Latin name is known. What stands beside
    it must be a name: 玫瑰霜 EX or 玫瑰霜 SPF50 may be another product.
    """
    printed_key = product_key(value)
    conflicting = {product_key(name) for name in others}
    for is_chinese in (True, False):
        own = [product_key(name) for name in names if has_cjk(name) is is_chinese]
        if len(own) < len(names):
            continue
        for key in own:
            if not key or key not in (
                printed_key[: len(key)],
                printed_key[-len(key) :],
            ):
                continue
            rest = printed_key.replace(key, "", 1)
            is_name = _LATIN_NAME if is_chinese else _ZH_NAME
            words = _words_beside(value, names)
            if is_name.fullmatch(rest) and words and rest not in conflicting:
                return True
    return False


def _words_beside(value: str, names: Iterable[str]) -> bool:
    """Return whether the words beside a name are more than a mark of a variant."""
    rest = fold(value)
    for name in names:
        rest = rest.replace(fold(name), " ")
    if has_cjk(rest):
        return not _VARIANT.search(rest)
    words = re.findall(r"[a-z]{2,}", rest)
    return len(words) > 1 and not all(map(_VARIANT.fullmatch, words))


def _known_other(
    names: Sequence[Fact], codes: Sequence[Fact], product: ProductIdentity
) -> Fact | None:
    own_codes = {name_key(code) for code in product.codes}
    codes_of_others = {
        name_key(code) for other in product.others for code in other.codes
    } - own_codes
    found = _first(codes, lambda fact: name_key(fact.value) in codes_of_others)
    return found or _first(
        names,
        lambda fact: (
            any(
                _is_named(fact.value, other.names, product.brands)
                or _is_named_in_one_script(fact.value, other.names, product.names)
                for other in product.others
            )
            and not _is_named(fact.value, product.names, product.brands)
        ),
    )


def _named_in_text(
    product: ProductIdentity, pages: Sequence[PageText]
) -> IdentityReading:
    others = [name for other in product.others for name in other.names]
    occurrence = _occurrence(product.names, pages)
    if occurrence is None or _occurrence(others, pages):
        return _reading(IdentityState.UNKNOWN, IdentityReason.NO_IDENTIFIER)
    name, page = occurrence
    return IdentityReading(
        IdentityState.THIS_PRODUCT, IdentityReason.NAME_IN_TEXT, name, page
    )


def _occurrence(
    names: Iterable[str], pages: Sequence[PageText]
) -> tuple[str, int | None] | None:
    for name in names:
        key = name_key(name)
        shortest = SHORTEST_ZH_NAME if has_cjk(name) else SHORTEST_LATIN_NAME
        if len(key) < shortest:
            continue
        for page in pages:
            if _is_in_text(
                fold(" ".join(name.split())), fold(" ".join(page.text.split()))
            ):
                return name, page.number
    return None


def _is_in_text(name: str, text: str) -> bool:
    """Return whether a text has a name by itself, not inside a longer word."""
    start = text.find(name)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(name) :][:1]
        edges = has_cjk(name) or not (before.isalnum() or after.isalnum())
        if edges and not after.startswith(("+", "%")):
            return True
        start = text.find(name, start + 1)
    return False


def _material(facts: _Facts, product: ProductIdentity) -> IdentityReading:
    trade_names = _read(facts, FactName.TRADE_NAME, FactName.PRODUCT_NAME)
    inci_names = _read(facts, FactName.INCI_NAME)
    numbers = [
        fact for fact in _read(facts, FactName.CAS_NUMBER) if fact.value != WATER
    ]
    own_trade = {
        name_key(n) for each in product.materials for n in each.trade_names
    } - {""}
    own_inci = {
        name_key(part)
        for each in product.materials
        for name in each.inci_names
        for part in (name, *_MIXED.split(name))
    } - {""}
    own_cas = {number for each in product.materials for number in each.cas_numbers}
    known = [fact for fact in numbers if fact.value in own_cas]
    named = _first(
        trade_names,
        lambda fact: any(
            name_key(part) in own_trade | own_inci
            for part in (fact.value, *pieces(fact.value))
        ),
    )
    if named and (known or not numbers or not own_cas):
        reason = IdentityReason.TRADE_NAME_MATCHES
        return _reading(IdentityState.THIS_PRODUCT, reason, named)
    if named:
        reason = IdentityReason.CONTRADICTING_IDENTIFIERS
        return _reading(IdentityState.UNKNOWN, reason, numbers[0])
    if inci_names and all(name_key(fact.value) in own_inci for fact in inci_names):
        reason = IdentityReason.INCI_MATCHES
        return _reading(IdentityState.THIS_PRODUCT, reason, inci_names[0])
    if numbers and own_cas:
        return _by_cas(numbers, known)
    if trade_names or inci_names:
        reason = IdentityReason.NAME_DIFFERS
        return _reading(IdentityState.UNKNOWN, reason, (trade_names or inci_names)[0])
    return _reading(IdentityState.UNKNOWN, IdentityReason.NO_IDENTIFIER)


def _by_cas(numbers: Sequence[Fact], known: Sequence[Fact]) -> IdentityReading:
    if len(known) == len(numbers):
        reason = IdentityReason.CAS_MATCHES
        return _reading(IdentityState.THIS_PRODUCT, reason, known[0])
    if known:
        reason = IdentityReason.CAS_PARTLY_MATCHES
        unknown = next(fact for fact in numbers if fact not in known)
        return _reading(IdentityState.UNKNOWN, reason, unknown)
    reason = IdentityReason.CAS_CONFLICTS
    return _reading(IdentityState.OTHER_PRODUCT, reason, numbers[0])


def _site(facts: _Facts, product: ProductIdentity) -> IdentityReading:
    """Judge a GMP certificate: its site must be a site of the product.

    It conflicts only where it names both another company and another address, in the
    script that the product's sites have: an address in the other script proves nothing.
    """
    stated = _read(facts, FactName.SITE, FactName.COMPANY)
    if not stated or not product.sites:
        return _reading(IdentityState.UNKNOWN, IdentityReason.NO_IDENTIFIER)
    addresses = {address_key(site.address) for site in product.sites} - {""}
    companies = {key for site in product.sites for key in _company_keys(site.name)}
    by_address = _first(stated, lambda fact: _holds(address_key(fact.value), addresses))
    by_name = _first(stated, lambda fact: bool(_company_keys(fact.value) & companies))
    other_address = _first(
        stated,
        lambda fact: (
            _is_address(fact.value)
            and not _holds(address_key(fact.value), addresses)
            and any(
                has_cjk(fact.value) == has_cjk(site.address) for site in product.sites
            )
        ),
    )
    if by_address:
        return _reading(
            IdentityState.THIS_PRODUCT, IdentityReason.SITE_MATCHES, by_address
        )
    if by_name and not other_address:
        return _reading(
            IdentityState.THIS_PRODUCT, IdentityReason.SITE_MATCHES, by_name
        )
    names = [fact for fact in stated if not _is_address(fact.value)]
    comparable = any(
        has_cjk(fact.value) == has_cjk(part)
        for fact in names
        for site in product.sites
        for part in pieces(site.name)
    )
    if other_address and not by_name and comparable:
        return _reading(
            IdentityState.OTHER_PRODUCT, IdentityReason.SITE_CONFLICTS, other_address
        )
    return _reading(
        IdentityState.UNKNOWN, IdentityReason.SITE_DIFFERS, other_address or stated[0]
    )


def _company_keys(text: str) -> set[str]:
    """Return the keys of a company's name, whole and in each of its scripts."""
    listed = [text, *pieces(text), *text.replace("，", ",").split(",")[:1]]
    return {company_key(part) for part in listed} - {""}


def _holds(key: str, addresses: Iterable[str]) -> bool:
    return any(address in key for address in addresses)


def _is_address(text: str) -> bool:
    folded = fold(text)
    has_number = any(character.isdigit() for character in folded)
    return has_number and (
        any(word in folded for word in ("路", "街", "道", "巷", "号", "段"))
        or any(
            f" {word}" in f" {folded}" for word in ("no.", "road", "rd", "street", "st")
        )
    )


def _signer(facts: _Facts, product: ProductIdentity) -> IdentityReading:
    """Judge a credential: its subject must be who signed the assessment.

    Chinese names that differ are two persons; Latin spellings of one name may differ.
    """
    stated = _read(facts, FactName.SIGNER_NAME)
    if not stated or not product.signers:
        return _reading(IdentityState.UNKNOWN, IdentityReason.NO_IDENTIFIER)
    own = {key for signer in product.signers for key in person_keys(signer)}
    match = _first(stated, lambda fact: bool(person_keys(fact.value) & own))
    if match:
        return _reading(
            IdentityState.THIS_PRODUCT, IdentityReason.SIGNER_MATCHES, match
        )
    keys = {key for fact in stated for key in person_keys(fact.value)}
    if any(map(has_cjk, keys)) and any(map(has_cjk, own)):
        reason = IdentityReason.SIGNER_CONFLICTS
        return _reading(IdentityState.OTHER_PRODUCT, reason, stated[0])
    if {has_cjk(key) for key in keys} & {has_cjk(key) for key in own}:
        reason = IdentityReason.SIGNER_DIFFERS
    else:
        reason = IdentityReason.NOT_COMPARABLE
    return _reading(IdentityState.UNKNOWN, reason, stated[0])
