"""What a person agreed to in advance: which places may be asked for without asking the person again.

Without one, everything is asked. A scope is for one need, names partner or kind, dayparts and districts, and holds until the person
withdraws the consent it rests on, refuses, or moves, or the need is withdrawn or confirmed anew. An offer that does not say when it takes
place is in no scope that names dayparts: nobody has agreed to its time. domain.md 3.7: re-offer and promotion act by themselves only
within what was agreed.
"""

from __future__ import annotations

from datetime import datetime

from schemas.codes import AgreementScope
from services.referral.commands import AgreeScope, NeedScope
from services.referral.facts import ScopeAgreed
from services.referral.model import Case, Need, Scope, Settled
from services.referral.offers import OfferTerms
from services.runtime.deciding import Decision, States
from services.runtime.errors import Refused
from services.runtime.ids import child


def covers(scope: Scope, terms: OfferTerms) -> bool:
    """Whether an offer of the need's kind lies within what the person agreed to."""
    if scope.reach is AgreementScope.SAME_PARTNER and terms.partner != scope.partner:
        return False
    if terms.district not in scope.districts:
        return False
    if not scope.dayparts:
        return True
    return bool(terms.dayparts) and set(terms.dayparts) <= set(scope.dayparts)


def agreed_in_advance(need: Need, terms: OfferTerms) -> Scope | None:
    """The agreement on which this offer may go to its partner without another question, if there is one."""
    return need.scope if need.scope is not None and covers(need.scope, terms) else None


def agree(command: AgreeScope, states: States, now: datetime, by: str) -> Decision:
    """Record what the person agreed to; ask again is what holds without. Raises `Refused`."""
    case = states.get(Case, command.case)
    need = case.need(command.need)
    if need is None:
        raise Refused("need-not-found", 404)
    if not case.stands or need.withdrawn or need.settled is not None:
        raise Refused("need-not-sought" if need.settled is not Settled.CLOSED else "need-closed")
    if not case.consents_to(need):
        raise Refused("consent-for-partner-missing")
    scope = None if command.scope is AgreementScope.ASK_AGAIN else _scope(command, case, now, by)
    return Decision(
        [(case.subject, ScopeAgreed(need.id, scope))],
        answer=NeedScope(need=need.id, scope=command.scope, agreement=scope.id if scope is not None else None),
    )


def _scope(command: AgreeScope, case: Case, now: datetime, by: str) -> Scope:
    own = (case.person.district,) if command.own_district and case.person is not None else ()
    return Scope(
        id=child(command.need, f"scope/{now.isoformat()}"),
        reach=command.scope,
        partner=command.partner,
        dayparts=command.dayparts,
        districts=tuple(dict.fromkeys((*own, *command.districts))),
        at=now,
        by=by,
    )
