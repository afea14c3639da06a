"""What profiling keeps: the cases, and every version of every profile. The only file here that knows MongoDB.

A version is one document, written once, in the transaction that makes it the case's latest: ``_id`` is ``<case>/<number>``, so that the
versions of a case are found by their ids alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne

from services.profiling.commands import Reach
from services.profiling.decide import ForgetVersions, KeepVersion
from services.profiling.model import Case, ProfileVersion, Stage
from services.profiling.needs import NeedState
from services.runtime.calendar import berlin_instant
from services.runtime.cursors import PageRequest
from services.runtime.deciding import Write
from services.runtime.records import Stored
from services.runtime.store import Collection, CountyStore, collection_of, state_collection

VERSIONS: Final = "profile_versions"

_CASES: Final = collection_of(Case.KIND)

COLLECTIONS: Final = (
    state_collection(
        Case,
        IndexModel(
            [
                ("county", ASCENDING),
                ("body.stage", ASCENDING),
                ("body.on_agenda", ASCENDING),
                ("_id", ASCENDING),
            ],
            name="worklist",
        ),
    ),
    Collection(
        VERSIONS,
        schema={
            "bsonType": "object",
            "required": ["county", "case", "version", "guideline", "complete", "answers", "recorded_by", "recorded_at"],
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Books:
    """A county's cases added up: by stage, how many arrived, have a profile and a complete one, and their needs by state."""

    stages: Mapping[Stage, int]
    arrived: int
    profiled: int
    complete: int
    needs: Mapping[NeedState, int]


def writes(county: str, effects: Sequence[object]) -> Iterable[Write]:
    """The writes that the effects of a unit of work ask for."""
    forgotten = {effect.case for effect in effects if isinstance(effect, ForgetVersions)}
    for effect in effects:
        match effect:
            case KeepVersion(case=case, version=version):
                if case not in forgotten:  # recorded and erased in one unit: nothing of it is ever written
                    yield Write(VERSIONS, InsertOne(_document(county, case, version)))
            case ForgetVersions(case=case, versions=versions):
                for id in _ids(case, versions):
                    yield Write(VERSIONS, DeleteOne({"_id": id, "county": county}))
            case _:
                raise TypeError(f"{type(effect).__name__} is no effect of profiling")


async def versions(store: CountyStore, case: Case) -> list[ProfileVersion]:
    """Every version of a case's profile, the first one first."""
    if case.profile is None:
        return []
    found = await store.by_ids(VERSIONS, _ids(case.id, case.profile.version))
    return sorted((ProfileVersion.model_validate(document) for document in found), key=lambda one: one.version)


async def version(store: CountyStore, case: str, number: int) -> ProfileVersion | None:
    """One version, or None."""
    found = await store.by_ids(VERSIONS, [f"{case}/{number}"])
    return ProfileVersion.model_validate(found[0]) if found else None


async def worklist(
    store: CountyStore,
    stage: Stage,
    reach: Reach,
    page: PageRequest,
    *,
    site: str | None = None,
    day: date | None = None,
) -> list[Case]:
    """Cases of one stage by the instant on their agenda. `day` is a day in Germany; `page.after` is (instant, case id).

    One index serves every stage; site and place are looked at while walking it, which is little for a day or a stage in progress.
    """
    query: dict[str, Any] = {"body.stage": stage}
    span: dict[str, Any] = {}
    if day is not None:
        span = {"$gte": berlin_instant(day), "$lt": berlin_instant(day + timedelta(days=1))}
    if page.after is not None:
        instant, id = page.after
        span["$gte"] = max(instant, span.get("$gte", instant))
        query["$or"] = [{"body.on_agenda": {"$gt": instant}}, {"_id": {"$gt": id}}]
    if stage is Stage.NOT_ARRIVED:
        span["$ne"] = (
            None  # of some that have not arrived there is no sheet, only news of a referral, which nobody has to look at
        )
    if span:
        query["body.on_agenda"] = span
    if site is not None:
        query["body.appointment.site"] = site
    if reach.district is not None:
        query["body.place.district"] = reach.district
    if reach.municipality is not None:
        query["body.place.municipality"] = reach.municipality
    found = await store.find(_CASES, query, sort=[("body.on_agenda", 1), ("_id", 1)], limit=page.fetch)
    cases = (Stored.from_document(Case, document).state for document in found)
    return [case for case in cases if isinstance(case, Case)]


async def books(store: CountyStore) -> Books:
    """Added up from the tallies of the states, in one pass over the county's cases."""
    sums = {name: {"$sum": f"$body.tally.{name}"} for name in ("arrived", "profiled", "complete", *NeedState)}
    rows = await store.aggregate(_CASES, [{"$group": {"_id": "$body.stage", "cases": {"$sum": 1}, **sums}}])
    by_stage = {row["_id"]: row["cases"] for row in rows}

    def total(name: str) -> int:
        return sum(row[name] for row in rows)

    return Books(
        stages={stage: by_stage.get(stage, 0) for stage in Stage},
        arrived=total("arrived"),
        profiled=total("profiled"),
        complete=total("complete"),
        needs={state: total(state) for state in NeedState},
    )


def _ids(case: str, versions: int) -> list[str]:
    return [f"{case}/{number}" for number in range(1, versions + 1)]


def _document(county: str, case: str, version: ProfileVersion) -> dict[str, Any]:
    return {"_id": f"{case}/{version.version}", "county": county, "case": case, **version.model_dump()}
