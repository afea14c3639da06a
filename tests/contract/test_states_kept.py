"""A state that was stored is read back as it was written, to the type of each value.

The runtime hands rules either of the two, as it happens: what this process wrote last, or what the database keeps. If these differed
(microseconds, a list for a tuple, a text for a code), what is decided would depend on which process is asked.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.codes import Daypart
from services.intake.service import SERVICE as INTAKE
from services.profiling.service import SERVICE as PROFILING
from services.referral import model as referral
from services.referral import offers, referrals
from services.referral.directory import entries
from services.referral.service import SERVICE as REFERRAL
from services.reporting.service import SERVICE as REPORTING
from services.reporting.steering.model import ReportTerms
from services.runtime.calendar import whole_milliseconds
from services.runtime.deciding import State
from tests.given import kept

STATES: Final = [
    pytest.param(model, id=f"{service.name} {model.KIND}")
    for service in (INTAKE, PROFILING, REFERRAL, REPORTING)
    for model in service.logic.states
]

Values = dict[str, Any]
Strategy = st.SearchStrategy[Any]


@pytest.mark.parametrize("model", STATES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_was_stored_is_read_back_as_it_was_written(model: type[State], data: st.DataObject) -> None:
    kept(data.draw(built(model)), "03459")


@pytest.mark.parametrize("model", STATES)
def test_so_is_a_state_of_which_nothing_is_known_yet(model: type[State]) -> None:
    kept(model(id="6f1c2a0e-8d5b-4c7e-9a31-0b2d4f6a8c10"), "03459")


# --- any state that can be built --------------------------------------------------------------------------------------------

INSTANTS: Final = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is given beside it
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(whole_milliseconds)
DAYS: Final = st.dates(date(1900, 1, 1), date(2200, 1, 1))
TEXTS: Final = st.text(st.characters(codec="utf-8"), max_size=12)
WORDS: Final = TEXTS.map(str.strip).filter(bool)
KEYS: Final = st.from_regex("[a-z0-9-]{1,8}", fullmatch=True)
"""Ids and codes."""
ANSWERS: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)
"""What JSON can say: the answers of a talk are kept as their guideline coded them."""


def built(model: type[BaseModel]) -> Strategy:
    """Whatever of this class can be built."""
    fields = {name: _values(field.annotation, field.metadata) for name, field in model.model_fields.items()}
    fit = FITTING.get(model, lambda values: values)
    return st.fixed_dictionaries(fields).map(lambda values: model(**fit(values)))


def _values(annotation: Any, constraints: list[Any]) -> Strategy:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *more = arguments
        return _values(inner, [*constraints, *(part for one in more for part in _parts(one))])
    if origin in (Union, types.UnionType):
        return st.one_of([_values(each, constraints) for each in arguments])
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(_values(arguments[0], []), min_size=_limit(constraints, "min_length", 0), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_values(each, []) for each in arguments))
    if origin not in (None, Literal) and issubclass(origin, Mapping):
        keys = KEYS if arguments[0] is str else _values(arguments[0], [])
        return st.dictionaries(keys, _values(arguments[1], []), max_size=2)
    return _plain(annotation, constraints)


def _parts(constraint: object) -> list[Any]:
    return constraint.metadata if isinstance(constraint, FieldInfo) else [constraint]


def _limit(constraints: list[Any], name: str, otherwise: Any) -> Any:
    return next((getattr(each, name) for each in constraints if getattr(each, name, None) is not None), otherwise)


def _plain(annotation: Any, constraints: list[Any]) -> Strategy:
    def limit(name: str, otherwise: Any) -> Any:
        return _limit(constraints, name, otherwise)

    if annotation is Any:
        return ANSWERS
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return built(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if annotation is str and limit("pattern", None):
        return st.from_regex(limit("pattern", ""), fullmatch=True)
    plain: dict[Any, Strategy] = {
        str: WORDS if limit("min_length", 0) else TEXTS,
        bool: st.booleans(),
        int: st.integers(limit("ge", -(2**31)), limit("le", 2**31)),
        float: st.floats(limit("ge", -1e9), limit("le", 1e9)),
        datetime: INSTANTS,
        date: DAYS,
        type(None): st.none(),
    }
    return plain[annotation]


# --- what fits together -----------------------------------------------------------------------------------------------------


def _fitting_referral(values: Values) -> Values:
    awaited = values["state"] in referrals.AWAITING
    scheduled = values["state"] is referrals.ReferralState.SCHEDULED
    fitting = isinstance(values["reason"], referrals.REASONS.get(values["state"], type(None)))
    return values | {
        "deadline": (values["deadline"] or datetime(2016, 3, 1, tzinfo=UTC)) if awaited else None,
        "first": values["first"]
        or (referrals.FirstDay(on=date(2016, 3, 1), daypart=Daypart.WEEKEND) if scheduled else None),
        "reason": values["reason"] if fitting else None,
    }


def _fitting_need(values: Values) -> Values:
    live = values["live"] if values["live"] is not None and values["live"].state in referrals.LIVE else None
    settled = values["settled"] if live is None else None
    return values | {
        "live": live,
        "past": tuple(past for past in values["past"] if past.state not in referrals.LIVE),
        "settled": settled,
        "withdrawn": values["withdrawn"] and (live is not None or settled is not None),
    }


def _fitting_offer(values: Values) -> Values:
    holders = tuple({holder.referral: holder for holder in values["holders"]}.values())
    return values | {"holders": holders, "seats": max(values["seats"], sum(holder.places for holder in holders))}


def _fitting_site(values: Values) -> Values:
    whole = values["latitude"] is not None and values["longitude"] is not None
    return values if whole else values | {"latitude": None, "longitude": None}


def _fitting_partner(values: Values) -> Values:
    return values | {"sites": tuple({site.code: site for site in values["sites"]}.values())}


def _fitting_agreement(values: Values) -> Values:
    until = values["valid_until"]
    return values | {"valid_until": until and max(until, values["valid_from"])}


def _fitting_terms(values: Values) -> Values:
    return values | {"recipients": tuple(one.replace("@", "-") for one in values["recipients"])}


FITTING: Final[dict[type[BaseModel], Callable[[Values], Values]]] = {
    referrals.Referral: _fitting_referral,
    referral.Need: _fitting_need,
    offers.Offer: _fitting_offer,
    entries.Site: _fitting_site,
    entries.PartnerEntry: _fitting_partner,
    entries.Agreement: _fitting_agreement,
    ReportTerms: _fitting_terms,
}
"""Classes whose values must fit together, each with what makes any values do so."""
