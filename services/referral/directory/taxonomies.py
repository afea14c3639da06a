"""The taxonomies of the published directory: the kinds of services, the seats, and what else HSDS has no field for.

HSDS 3.0 has no field for a capacity; attributes with the terms of a taxonomy are its way of saying more. Ids are the same in every county.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from schemas.codes import ServiceKind
from schemas.labels import label
from services.referral.directory.hsds import Attribute, Taxonomy, TaxonomyTerm
from services.referral.directory.states import term_id
from services.runtime.catalogue import Catalogue, Language
from services.runtime.ids import child


class Capacity(StrEnum):
    """Seats of the open offers of something, as whole numbers; and the earliest day on which a partner said so."""

    MAXIMUM = "maximum"
    TAKEN = "taken"
    FREE = "free"
    CONFIRMED_ON = "confirmed-on"


class Detail(StrEnum):
    """What an entry says beyond HSDS: its code here, its texts in English, and for whom an offer is."""

    CODE = "code"
    NAME_EN = "name-en"
    DESCRIPTION_EN = "description-en"
    ELIGIBILITY = "eligibility"


KINDS: Final = "service-kinds"
CAPACITY: Final = "capacity"
DETAILS: Final = "details"

TERMS: Final[dict[str, tuple[StrEnum, ...]]] = {
    KINDS: tuple(ServiceKind),
    CAPACITY: tuple(Capacity),
    DETAILS: tuple(Detail),
}

_OF: Final = {term: name for name, terms in TERMS.items() for term in terms}


class Taxonomies:
    """All of them, in one language."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        def say(key: str) -> str:
            return catalogue.text(language, f"taxonomy.{key}")

        self.all: Final = [
            Taxonomy(id=term_id(name), name=say(f"{name}.name"), description=say(f"{name}.description"), version="1")
            for name in TERMS
        ]
        self.terms: Final = [
            TaxonomyTerm(
                id=term_id(name, term),
                code=term,
                name=(words := label(term, language) if name == KINDS else say(f"{name}.{term}")),
                description=words,
                taxonomy_id=term_id(name),
                language=language,
            )
            for name, terms in TERMS.items()
            for term in terms
        ]
        self._by_id: Final = {term.id: term for term in self.terms}

    def attribute(self, entity: str, link: str, term: StrEnum, value: str | None = None) -> Attribute:
        """The term is true of what `link` is the id of. `entity` names its table."""
        id = term_id(_OF[term], term)
        return Attribute(
            id=child(link, f"attribute/{term}"),
            link_id=link,
            link_entity=entity,
            taxonomy_term_id=id,
            value=value,
            taxonomy_term=self._by_id[id],
        )


def value_of(attributes: Iterable[Attribute], term: StrEnum) -> str | None:
    """The value that one of our terms has among these attributes."""
    id = term_id(_OF[term], term)
    return next((one.value for one in attributes if (one.taxonomy_term_id or _nested(one)) == id), None)


def kind_of(attributes: Iterable[Attribute]) -> ServiceKind | None:
    """The kind of service that these attributes name, by our term or by its code."""
    kinds = {term_id(KINDS, kind): kind for kind in ServiceKind} | {str(kind): kind for kind in ServiceKind}
    for one in attributes:
        code = one.taxonomy_term.code if one.taxonomy_term else None
        for name in (one.taxonomy_term_id, _nested(one), code):
            if name in kinds:
                return kinds[name]
    return None


def _nested(attribute: Attribute) -> str | None:
    return attribute.taxonomy_term.id if attribute.taxonomy_term else None
