"""The coded facts of a person that eligibility looks at: those of the register, and what the talk found out. Never a name."""

from __future__ import annotations

from schemas.codes import (
    CEFR_ORDER,
    Accessibility,
    BenefitRegime,
    Cefr,
    CertificateIssuer,
    CertificateKind,
    CourseScheme,
    Daypart,
    Literacy,
    ResidenceGroup,
    Sex,
)
from schemas.events import GermanLevels
from services.referral.parts import Part
from services.runtime.deciding import Day


class Person(Part):
    """The coded facts that eligibility looks at."""

    district: str
    municipality: str | None = None
    birth_year: int | None = None
    sex: Sex | None = None
    residence_group: ResidenceGroup | None = None
    languages: tuple[str, ...] = ()


class Certificate(Part):
    """What admits the person to a federal course, on `valid_until` for the last time."""

    scheme: CourseScheme
    kind: CertificateKind
    issuer: CertificateIssuer
    valid_until: Day | None = None
    fee_exempt: bool = False


class Profile(Part):
    """What the talk found out. `certificates` is None where nobody asked. `access_needs` is what the person needs to take part: kept while
    they consent to it."""

    levels: GermanLevels = GermanLevels()
    literacy: Literacy | None = None
    benefit_regime: BenefitRegime | None = None
    available: tuple[Daypart, ...] = ()
    rotating_shifts: bool = False
    child_care_ages: tuple[int, ...] = ()
    certificates: tuple[Certificate, ...] | None = None
    self_payer: bool = False
    access_needs: tuple[Accessibility, ...] = ()

    @property
    def german(self) -> Cefr | None:
        """The weakest skill that is known: a course begins where the learner is weakest."""
        known = (self.levels.listening, self.levels.reading, self.levels.speaking, self.levels.writing)
        return min((level for level in known if level is not None), key=CEFR_ORDER.__getitem__, default=None)
