"""Who gives which certificate for federal courses, and to whom one applies for admission.

Integration courses: entitlement by the foreigners authority, for late resettlers by the Federal Office of Administration (section 6 IntV);
obligation by the foreigners authority, the Jobcenter or the authority for asylum seekers' benefits (section 44a AufenthG); admission on
application by the Federal Office for Migration and Refugees (section 44 (4) AufenthG, section 5 IntV). Vocational German: entitlement and
obligation by Jobcenter and employment agency, admission on application by the Federal Office (sections 4 and 5 DeuFöV).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.codes import CertificateIssuer, CertificateKind, CourseScheme

ISSUED_BY: Final[Mapping[tuple[CourseScheme, CertificateKind], tuple[CertificateIssuer, ...]]] = {
    (CourseScheme.INTEGRATION_COURSE, CertificateKind.ENTITLED): (
        CertificateIssuer.FOREIGNERS_AUTHORITY,
        CertificateIssuer.FEDERAL_OFFICE_OF_ADMINISTRATION,
    ),
    (CourseScheme.INTEGRATION_COURSE, CertificateKind.OBLIGED): (
        CertificateIssuer.FOREIGNERS_AUTHORITY,
        CertificateIssuer.JOBCENTER,
        CertificateIssuer.BENEFITS_AUTHORITY,
    ),
    (CourseScheme.INTEGRATION_COURSE, CertificateKind.ADMITTED): (CertificateIssuer.BAMF,),
    (CourseScheme.VOCATIONAL_GERMAN, CertificateKind.ENTITLED): (
        CertificateIssuer.JOBCENTER,
        CertificateIssuer.EMPLOYMENT_AGENCY,
    ),
    (CourseScheme.VOCATIONAL_GERMAN, CertificateKind.OBLIGED): (
        CertificateIssuer.JOBCENTER,
        CertificateIssuer.EMPLOYMENT_AGENCY,
    ),
    (CourseScheme.VOCATIONAL_GERMAN, CertificateKind.ADMITTED): (CertificateIssuer.BAMF,),
}
"""Every certificate that there is."""


def apply_to(scheme: CourseScheme) -> tuple[CertificateIssuer, ...]:
    """Where somebody who has no certificate applies for admission."""
    return ISSUED_BY[scheme, CertificateKind.ADMITTED]
