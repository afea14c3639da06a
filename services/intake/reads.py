"""Who may be told who a person is, and what of it.

A partner: with a live grant (an accepted referral that has not ended), for the fields that it names, while the person's consents to
transfer and to that kind of partner stand. A counsellor: while the consent to transfer stands. A clerk: of the office that registered the
person. Each read is a link in the audit's chain before anything is shown.
"""

from __future__ import annotations

from datetime import datetime

from schemas.codes import ContactField, Purpose
from schemas.envelope import format_instant
from services.intake.audit import next_link
from services.intake.commands import ALL_FIELDS, ReadAnswer, ReadPerson
from services.intake.facts import KeepRead, LinkAdded
from services.intake.model import AuditDay, Case, Grant, Status
from services.runtime.deciding import Decision
from services.runtime.errors import Refused


def read(command: ReadPerson, case: Case, chain: AuditDay, now: datetime) -> Decision:
    """Allow one read and record it. Raises `Refused`."""
    fields, referral = _allowed(command, case)
    record: dict[str, object] = {
        "at": format_instant(now),
        "reader": command.reader,
        "role": command.role.value,
        "office": command.office,
        "organisation": command.organisation,
        "case": case.id,
        "referral": referral,
        "fields": [field.value for field in fields],
    }
    link = next_link(chain.head, record)
    return Decision(
        facts=[(chain.subject, LinkAdded(link))],
        effects=[KeepRead(chain.id, chain.records + 1, record, link)],
        answer=ReadAnswer(fields=fields, languages=case.statements.languages),
    )


def _allowed(command: ReadPerson, case: Case) -> tuple[tuple[ContactField, ...], str | None]:
    if command.organisation is not None:
        referral, grant = _live_grant(command, case)
        return grant.fields, referral
    if command.office is None and case.status is Status.MOVED:
        raise Refused("case-moved")
    if command.office is None and case.status is not Status.ACTIVE:
        raise Refused("consent-missing", 403)
    return ALL_FIELDS, None


def _live_grant(command: ReadPerson, case: Case) -> tuple[str, Grant]:
    """The grant of the asking organisation that lets it see most. One answer for every reason why there is none."""
    live = [
        (referral, grant)
        for referral, grant in case.grants.items()
        if grant.partner == command.organisation
        and command.today <= grant.until
        and case.status is Status.ACTIVE
        and case.consents_to(Purpose.TRANSFER)
        and case.consents_to(grant.purpose)
    ]
    if not live:
        raise Refused("no-grant", 403)
    return max(live, key=lambda entry: (len(entry[1].fields), entry[0]))
