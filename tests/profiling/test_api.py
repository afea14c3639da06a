"""What a counsellor, a social worker and an operator see and do over HTTP, on the real database."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.embedded.engines import Engines
from schemas.codes import Purpose, Role, ServiceKind, WaitReason
from schemas.events import ConsentGiven, ConsentWithdrawn, NeedWaiting, PersonErased
from services.profiling.store import VERSIONS
from tests.profiling.centre import Centre, open_centre
from tests.profiling.talks import (
    BRAMSCHE,
    CASE,
    GUIDELINE,
    MELLE,
    MELLE_TOWN,
    NOW,
    OTHER_CASE,
    TALK_AT,
    arrival,
    booking,
    levels,
    whole_talk,
)

WISHES = whole_talk(goals=["find-a-home", "meet-people"])


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    async with open_centre(engines.database_url, f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("centre")) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def centre(opened: Centre) -> Centre:
    """The centre, in a county where nothing has happened yet."""
    await opened.empty()
    return opened


@pytest_asyncio.fixture(loop_scope="module")
async def opened_anew(engines: Engines, tmp_path: Path) -> AsyncIterator[Centre]:
    """A centre of its own, whose clock may be moved."""
    async with open_centre(engines.database_url, f"t{secrets.token_hex(4)}", tmp_path) as one:
        yield one


def key() -> dict[str, str]:
    return {"idempotency-key": secrets.token_hex(8)}


async def put_profile(client: httpx.AsyncClient, case: str = CASE, **body: Any) -> httpx.Response:
    return await client.put(f"/v1/cases/{case}/profile", json={"answers": WISHES, **body}, headers=key())


async def test_from_the_arrival_to_the_plan(centre: Centre) -> None:
    counsellor = centre.client()
    await centre.hears(arrival(), CASE)
    await centre.hears(booking(), CASE)
    (due,) = (await counsellor.get("/v1/cases", params={"state": "talk-due", "day": "2016-06-01"})).json()["items"]
    assert (due["case"], due["appointment"]["site"], due["on_agenda"]) == (CASE, "melle", "2016-06-01T08:00:00Z")

    recorded = await put_profile(counsellor)
    assert (recorded.status_code, recorded.json()["stage"], recorded.json()["version"]) == (200, "profiled", 1)

    seen = (await counsellor.get(f"/v1/cases/{CASE}")).json()
    reasons = {need["rule"]: need["reason"] for need in seen["needs"]}
    assert reasons["housing.1"] == "Die Person sucht eine Wohnung."
    assert seen["profile"]["answers"]["goals"] == ["meet-people", "find-a-home"]
    assert seen["profile"]["missing"] == []

    decisions = [{"decision": "confirm", "need": need["need"]} for need in seen["needs"][:2]]
    decisions += [{"decision": "drop", "need": need["need"]} for need in seen["needs"][2:]]
    agreed = await counsellor.post(f"/v1/cases/{CASE}/needs", json={"decisions": decisions}, headers=key())
    assert agreed.json()["stage"] == "planned"
    plan = (await counsellor.get(f"/v1/cases/{CASE}")).json()["plan"]
    assert [(step["position"], step["need"], step["state"]) for step in plan] == [
        (1, decisions[0]["need"], "open"),
        (2, decisions[1]["need"], "open"),
    ]
    withdrawal = f"/v1/cases/{CASE}/needs/{plan[0]['need']}/withdrawal"
    assert (await counsellor.post(withdrawal, headers=key())).status_code == 200
    assert len((await counsellor.get(f"/v1/cases/{CASE}")).json()["plan"]) == 1


async def test_reasons_titles_and_questions_come_in_the_language_asked_for(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    english = centre.client(language="en")
    await put_profile(english)
    needs = (await english.get(f"/v1/cases/{CASE}")).json()["needs"]
    housing = next(need for need in needs if need["rule"] == "housing.1")
    assert (housing["title"], housing["reason"]) == ("Housing", "The person is looking for a home.")
    assert housing["source"].startswith("[001]")
    german, translated = [(await one.get("/v1/guideline")).json() for one in (centre.client(), english)]
    assert german["version"] == translated["version"] == GUIDELINE
    questions = {question["id"]: question for question in translated["questions"]}
    assert questions["working"]["text"] == "Do you have work at present?"
    assert questions["goals"]["options"][0] == {"code": "learn-german", "text": "learn German"}


async def test_every_version_can_be_read_as_it_was(centre: Centre) -> None:
    counsellor = centre.client()
    await centre.hears(arrival(), CASE)
    await put_profile(counsellor, answers={"languages": ["ara"]})
    await put_profile(counsellor, answers=WISHES, based_on=1)
    seen = (await counsellor.get(f"/v1/cases/{CASE}")).json()
    assert [(one["version"], one["complete"], one["recorded_by"]) for one in seen["versions"]] == [
        (1, False, "counsellor-1"),
        (2, True, "counsellor-1"),
    ]
    first = (await counsellor.get(f"/v1/cases/{CASE}/profile/1")).json()
    assert first["answers"] == {"languages": ["ara"]}
    assert "german" in first["missing"]
    assert (await counsellor.get(f"/v1/cases/{CASE}/profile/3")).json()["code"] == "profile-version-not-found"
    stale = await put_profile(counsellor, answers=whole_talk(), based_on=1)
    assert (stale.status_code, stale.json()["code"]) == (409, "profile-changed-meanwhile")
    assert "Fassung 2" in stale.json()["detail"]


async def test_a_wrong_answer_is_named_with_what_is_possible_and_nothing_is_recorded(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    wrong = {"german": {**levels("a1"), "reading": "a9"}, "school_years": -2, "Amira Haddad": 1}
    answer = await put_profile(centre.client(language="en"), answers=wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "answers", "message": "There is a question here that the guideline does not have."},
        {"field": "answers.german.reading", "message": "Only these are possible here: a0, a1, a2, b1, b2, c1, c2."},
        {"field": "answers.school_years", "message": "The value must be at least 0."},
    ]
    assert "Amira" not in answer.text
    assert (await put_profile(centre.client(), guideline="guideline-1916.1")).json()["code"] == "guideline-unknown"
    assert (await centre.client().get(f"/v1/cases/{CASE}")).json()["profile"] is None


async def test_the_same_request_sent_again_is_answered_the_same_and_done_once(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    counsellor, once = centre.client(), key()
    first = await counsellor.put(f"/v1/cases/{CASE}/profile", json={"answers": WISHES}, headers=once)
    await put_profile(counsellor, answers=whole_talk())
    again = await counsellor.put(f"/v1/cases/{CASE}/profile", json={"answers": WISHES}, headers=once)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert (await counsellor.get(f"/v1/cases/{CASE}")).json()["profile"]["version"] == 2
    other = await counsellor.put(f"/v1/cases/{CASE}/profile", json={"answers": whole_talk()}, headers=once)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_withdrawal_is_heeded_at_once_although_something_before_it_is_missing(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    counsellor = centre.client()
    await put_profile(counsellor, answers=WISHES)
    centre.misses(ConsentGiven(purposes=(Purpose.ADVICE,)), CASE)
    await centre.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), CASE, waits=True)
    refused = await counsellor.put(f"/v1/cases/{CASE}/profile", json={"answers": whole_talk()}, headers=key())
    assert (refused.status_code, refused.json()["code"]) == (409, "transfer-consent-missing")


async def test_paper_sheets_are_recorded_together_each_with_its_own_outcome(centre: Centre) -> None:
    withdrawn = str(uuid.uuid5(uuid.NAMESPACE_OID, "withdrawn"))
    early = str(uuid.uuid5(uuid.NAMESPACE_OID, "early"))
    for case in (CASE, OTHER_CASE, withdrawn):
        await centre.hears(arrival(), case)
    await centre.hears(ConsentWithdrawn(purposes=(Purpose.TRANSFER,)), withdrawn)
    sheets = [{"case": case, "answers": WISHES} for case in (CASE, withdrawn, early)]
    sheets.insert(1, {"case": OTHER_CASE, "answers": {"literacy": "perhaps"}})
    counsellor, once = centre.client(), key()
    body = {"sheets": sheets, "confirm_derived": True}
    answer = await counsellor.post("/v1/profiles", json=body, headers=once)
    items = answer.json()["items"]
    assert [(one["id"], one["outcome"]) for one in items] == [
        (CASE, "applied"),
        (OTHER_CASE, "refused"),
        (withdrawn, "refused"),
        (early, "applied"),
    ]
    assert (items[0]["standing"]["stage"], items[3]["standing"]["stage"]) == ("planned", "not-arrived")
    assert items[1]["problem"]["errors"][0]["field"] == "answers.literacy"
    assert items[2]["problem"]["code"] == "transfer-consent-missing"
    again = await counsellor.post("/v1/profiles", json=body, headers=once)
    assert (again.json(), again.headers["idempotency-replayed"]) == (answer.json(), "true")
    await centre.hears(arrival(), early)
    assert (await counsellor.get(f"/v1/cases/{early}")).json()["stage"] == "planned"


async def test_sheets_for_a_number_under_which_nobody_arrives_are_on_a_list_of_their_own_until_they_are_lost(
    opened_anew: Centre,
) -> None:
    centre = opened_anew
    mistyped = str(uuid.uuid5(uuid.NAMESPACE_OID, "mistyped"))
    only_heard_of = str(uuid.uuid5(uuid.NAMESPACE_OID, "only heard of"))
    waiting = NeedWaiting(need=mistyped, kind=ServiceKind.HOUSING, reason=WaitReason.NO_FREE_SEAT)
    await centre.hears(waiting, only_heard_of)
    await centre.hears(arrival(), CASE)
    counsellor, not_arrived = centre.client(), {"state": "not-arrived"}
    kept = await put_profile(counsellor, mistyped)
    assert (kept.json()["stage"], kept.json()["kept_until"]) == ("not-arrived", "2016-06-15T22:00:00Z")

    (listed,) = (await counsellor.get("/v1/cases", params=not_arrived)).json()["items"]
    assert listed["case"] == mistyped
    (sheet,) = listed["sheets"]
    assert (sheet["written_by"], sheet["kept_until"]) == ("counsellor-1", "2016-06-15T22:00:00Z")
    assert (await counsellor.get(f"/v1/cases/{mistyped}")).json()["sheets"] == [sheet]
    elsewhere = centre.client(Role.SOCIAL_WORKER, office=MELLE)
    assert (await elsewhere.get("/v1/cases", params=not_arrived)).json()["items"] == []

    await centre.move_clock(NOW + timedelta(days=15))
    (lost,) = (await counsellor.get("/v1/cases", params=not_arrived)).json()["items"]
    (sheet,) = lost["sheets"]
    assert (sheet["written_by"], sheet["kept_until"]) == ("counsellor-1", None)
    assert sheet["dropped_at"].startswith("2016-06-16")
    assert "find-a-home" not in repr(await centre.store.find("cases", {}))

    await centre.move_clock(NOW + timedelta(days=60))
    assert (await counsellor.get("/v1/cases", params=not_arrived)).json()["items"] == []


async def test_two_hundred_sheets_at_once_and_no_more(centre: Centre) -> None:
    cases = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))) for number in range(201)]
    sheets = [{"case": case, "answers": WISHES} for case in cases]
    counsellor = centre.client()
    answer = await counsellor.post("/v1/profiles", json={"sheets": sheets[:200]}, headers=key())
    assert [one["outcome"] for one in answer.json()["items"]] == ["applied"] * 200
    assert (await counsellor.post("/v1/profiles", json={"sheets": sheets}, headers=key())).status_code == 422


async def test_worklists_come_in_pages_by_time_and_can_be_cut_to_a_site_and_a_day(centre: Centre) -> None:
    cases = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"due {number}")) for number in range(7)]
    for number, case in enumerate(cases):
        await centre.hears(arrival(), case)
        starts_at = TALK_AT + timedelta(hours=12 * (number // 2))  # two at the same time each
        await centre.hears(booking(str(uuid.uuid4()), starts_at, "melle" if number % 3 else "bersenbrueck"), case)
    counsellor = centre.client()
    listed: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await counsellor.get("/v1/cases", params=params)).json()
        listed += [item["case"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    by_time = sorted(cases, key=lambda case: (cases.index(case) // 2, case))
    assert listed == by_time
    here = (await counsellor.get("/v1/cases", params={"site": "bersenbrueck"})).json()["items"]
    assert {item["case"] for item in here} == set(cases[::3])
    first_day = (await counsellor.get("/v1/cases", params={"day": "2016-06-01", "limit": "3"})).json()
    rest = (await counsellor.get("/v1/cases", params={"day": "2016-06-01", "cursor": first_day["next"]})).json()
    assert [item["case"] for item in first_day["items"] + rest["items"]] == by_time[:4]


async def test_a_social_worker_works_on_the_cases_of_their_place_and_hears_nothing_of_others(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    await centre.hears(arrival(district=BRAMSCHE, municipality=None), OTHER_CASE)
    for office in (MELLE, MELLE_TOWN):
        own = centre.client(Role.SOCIAL_WORKER, office=office)
        assert (await put_profile(own)).status_code == 200
        assert (await own.get(f"/v1/cases/{CASE}")).status_code == 200
        elsewhere = [await put_profile(own, OTHER_CASE), await own.get(f"/v1/cases/{OTHER_CASE}")]
        assert {(answer.status_code, answer.json()["code"]) for answer in elsewhere} == {(404, "case-not-found")}
        (listed,) = (await own.get("/v1/cases", params={"state": "profiled"})).json()["items"]
        assert listed["case"] == CASE
        assert (await own.get("/v1/cases", params={"state": "to-invite"})).json()["items"] == []
    for office in (None, "031570006006", "unknown"):
        nowhere = centre.client(Role.SOCIAL_WORKER, office=office)
        assert (await nowhere.get("/v1/cases")).json()["code"] == "office-unknown"


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUTHORITY_CLERK, Role.PARTNER, Role.COORDINATOR, Role.REPORTER])
async def test_offices_and_partners_never_see_a_profile(centre: Centre, role: Role) -> None:
    client = centre.client(role)
    answers = [
        await client.get(f"/v1/cases/{CASE}"),
        await client.get("/v1/cases"),
        await client.get(f"/v1/cases/{CASE}/profile/1"),
        await client.get("/v1/guideline"),
        await client.get("/v1/books"),
        await put_profile(client),
        await client.post("/v1/profiles", json={"sheets": [{"case": CASE, "answers": {}}]}, headers=key()),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "role-not-allowed")}


async def test_another_county_sees_nothing(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    elsewhere = centre.client(county="03157")
    assert (await elsewhere.get(f"/v1/cases/{CASE}")).json()["code"] == "case-not-found"
    assert (await elsewhere.get("/v1/cases", params={"state": "to-invite"})).json()["items"] == []


async def test_the_books_count_cases_profiles_and_needs(centre: Centre) -> None:
    third = str(uuid.uuid5(uuid.NAMESPACE_OID, "third"))
    for case in (CASE, OTHER_CASE, third):
        await centre.hears(arrival(), case)
    counsellor = centre.client()
    await put_profile(counsellor, CASE, confirm_derived=True)
    await put_profile(counsellor, OTHER_CASE, answers={"goals": ["find-a-home"]})
    await centre.hears(PersonErased(), third)
    books = (await centre.client(Role.OPERATOR).get("/v1/books")).json()
    assert {stage: count for stage, count in books["cases"].items() if count} == {
        "planned": 1,
        "talk-begun": 1,
        "erased": 1,
    }
    assert (books["arrived"], books["profiled"], books["complete"]) == (2, 2, 1)
    assert books["needs"] == {"derived": 1, "suggested": 0, "confirmed": 5, "dropped": 0, "withdrawn": 0}


async def test_after_an_erasure_nothing_of_the_talk_is_left(centre: Centre) -> None:
    await centre.hears(arrival(), CASE)
    counsellor = centre.client()
    await put_profile(counsellor, answers=whole_talk(goals=["find-a-home"], psychosocial_support_wanted=True))
    await put_profile(counsellor, answers=whole_talk(goals=["find-a-home"], school_years=4), confirm_derived=True)
    await centre.hears(PersonErased(), CASE)
    answer = await counsellor.get(f"/v1/cases/{CASE}")
    assert (answer.status_code, answer.json()["code"]) == (410, "case-erased")
    assert (await put_profile(counsellor)).json()["code"] == "case-erased"
    assert await centre.store.count(VERSIONS, {}) == 0
    left = ""
    for name in await centre.running.database.raw.list_collection_names():
        left += repr(await centre.store.find(name, {}))
    for trace in ("find-a-home", "housing", "psychosocial", "034590024", "birth_year': 1982", NOW.isoformat()):
        assert trace not in left, trace
    assert CASE in left, "the tombstone is there"
