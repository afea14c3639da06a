"""What a partner sees and does on its pages, without JavaScript, on the real database."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from schemas.codes import Role, ServiceKind
from services.referral.eligibility import RULES
from services.referral.pages.possible import fields_of, missing, steps_at
from services.referral.pages.routes import HERE
from services.referral.pages.words import Words
from services.referral.referrals import ReferralState
from services.referral.transitions import StepKind
from services.runtime.catalogue import Catalogue
from tests.pages.conftest import Site
from tests.pages.visitor import LOCAL_SIGN_IN, Visitor
from tests.referral.directory import VHS as ENTRY
from tests.referral.house import key
from tests.referral.network import ADVICE, COUNTY, id_of
from tests.referral.test_directory_doors import fill
from tests.referral.test_doors import partner_of, proposed, put

pytestmark = pytest.mark.asyncio(loop_scope="package")

VHS = f"{COUNTY}/partner/vhs"


async def agreed(site: Site, *names: str, seats: int = 5) -> dict[str, str]:
    """People who have agreed to a place in the course of the vhs: the referral by name."""
    referrals = await proposed(site.house, *names, seats=seats)
    await _all(site, referrals, "release", "agreement")
    return referrals


async def accepted(site: Site, *names: str, seats: int = 5) -> dict[str, str]:
    referrals = await agreed(site, *names, seats=seats)
    async with partner_of(site.house) as partner:
        items = [{"referral": one, "step": "acceptance"} for one in referrals.values()]
        answer = await partner.post("/v1/referrals/steps", json={"steps": items}, headers=key())
    assert {one["outcome"] for one in answer.json()["items"]} == {"applied"}
    return referrals


async def _all(site: Site, referrals: dict[str, str], *steps: str) -> None:
    async with site.house.client(Role.COUNSELLOR) as counsellor:
        items = [{"referral": one, "step": step} for one in referrals.values() for step in steps]
        answer = await counsellor.post("/v1/referrals/steps", json={"steps": items}, headers=key())
    assert {one["outcome"] for one in answer.json()["items"]} == {"applied"}


async def vhs(site: Site, language: str = "en") -> Visitor:
    visitor = site.visitor(language)
    await visitor.sign_in(VHS)
    return visitor


async def state_of(site: Site, name: str) -> Any:
    need = (await site.house.case(name)).needs[0]
    return need.live.state if need.live is not None else need.past[-1].state


async def test_a_partner_signs_in_and_sees_what_waits_for_its_answer_and_until_when(site: Site):
    await agreed(site, "amal")
    visitor = site.visitor()
    asked = await visitor.open("/pages/partner/new")
    assert asked.path == LOCAL_SIGN_IN
    page = await visitor.send(asked.form("/authorize"), person=VHS)
    assert page.path == "/pages/partner/new"
    assert "General integration course" in page.text
    assert "Please answer by 15 June 2016." in page.text
    assert "Arabic" in page.text


async def test_the_same_page_is_german_for_whoever_chooses_it(site: Site):
    await agreed(site, "amal")
    visitor = await vhs(site)
    page = await visitor.open("/pages/partner/new")
    german = await visitor.send(page.form("/language"), language="de")
    assert german.path == "/pages/partner/new"
    assert "Allgemeiner Integrationskurs" in german.text
    assert "Bitte antworten Sie bis 15.06.2016." in german.text
    assert "Arabisch" in german.text


async def test_a_partner_accepts_and_then_sees_name_and_contact_when_it_asks_for_them(site: Site):
    (referral,) = (await agreed(site, "amal")).values()
    visitor = await vhs(site)
    before = await visitor.open(f"/pages/partner/referrals/{referral}/contact")
    assert before.status == 409
    page = await visitor.open("/pages/partner/new")
    answered = await visitor.send(page.form("/acceptance"))
    assert "You have accepted." in answered.text
    assert await state_of(site, "amal") == "accepted"
    shown = await visitor.open(f"/pages/partner/referrals/{referral}")
    assert "Amal" not in shown.text
    assert "Amal" in (await visitor.open(f"/pages/partner/referrals/{referral}/contact")).text


async def test_the_names_of_a_course_of_twenty_are_asked_for_in_one_request(site: Site):
    names = [f"person-{n}" for n in range(20)]
    await accepted(site, *names, seats=20)
    visitor = await vhs(site)
    course = f"/pages/partner/offers/{id_of('course', 'offer')}"
    assert "Amal" not in (await visitor.open(course)).text
    assert site.intake.heard == []
    assert (await visitor.open(f"{course}/names")).text.count("Amal") == 20
    assert site.intake.heard == ["/v1/contacts"]
    listed = (await visitor.open(f"{course}/participants.csv")).answer.text
    assert listed.count("Amal") == 20
    assert site.intake.heard == ["/v1/contacts"] * 2


async def test_a_participant_of_whom_intake_tells_nothing_stays_in_the_list_with_the_reason(site: Site):
    await accepted(site, "amal", "badr")
    site.intake.unknown.add(id_of("badr", "case"))
    course = f"/pages/partner/offers/{id_of('course', 'offer')}"
    shown = (await (await vhs(site)).open(f"{course}/names")).text
    assert (shown.count("Amal"), shown.count("Nobody accepted this person.")) == (1, 1)


async def test_a_form_sent_twice_acts_once_and_says_the_same(site: Site):
    await agreed(site, "amal")
    visitor = await vhs(site)
    form = (await visitor.open("/pages/partner/new")).form("/acceptance")
    assert "You have accepted." in (await visitor.send(form)).text
    assert "You have accepted." in (await visitor.send(form)).text
    case = await site.house.case("amal")
    assert case.needs[0].live is not None
    assert [step.state for step in case.needs[0].live.steps].count("accepted") == 1  # pyright: ignore[reportArgumentType]


async def test_a_decline_needs_its_reason_and_says_so_beside_the_choice(site: Site):
    (referral,) = (await agreed(site, "amal")).values()
    visitor = await vhs(site)
    page = await visitor.open(f"/pages/partner/referrals/{referral}")
    without = await visitor.send(page.form("/decline"))
    assert without.status == 422
    assert "Please choose one of these." in without.text
    assert await state_of(site, "amal") == "agreed"
    done = await visitor.send(without.form("/decline"), reason="provider-full")
    assert "You have declined." in done.text
    ended = await visitor.open("/pages/partner/done")
    assert "Declined by you" in ended.text
    assert "Arabic" not in ended.text


async def test_what_has_lapsed_meanwhile_is_told_on_the_page(site: Site):
    (referral,) = (await agreed(site, "amal")).values()
    visitor = await vhs(site)
    form = (await visitor.open(f"/pages/partner/referrals/{referral}")).form("/acceptance")
    await _all(site, {"amal": referral}, "refusal")
    told = await visitor.send(form)
    assert told.status == 409
    assert "Not wanted by the person" in told.text


async def test_another_partners_referral_does_not_exist_nor_one_that_the_person_has_not_agreed_to(site: Site):
    referrals = await proposed(site.house, "amal")
    visitor = await vhs(site)
    assert (await visitor.open(f"/pages/partner/referrals/{referrals['amal']}")).status == 404
    await _all(site, referrals, "release", "agreement")
    async with partner_of(site.house, "another") as other:
        await put(other, "other", partner="another")
    stranger = site.visitor()
    await stranger.sign_in(f"{COUNTY}/partner/another")
    assert (await stranger.open(f"/pages/partner/referrals/{referrals['amal']}")).status == 404
    assert (await stranger.open(f"/pages/partner/offers/{id_of('course', 'offer')}")).status == 404


async def test_seats_are_saved_or_confirmed_and_a_wrong_number_stays_in_its_field(site: Site):
    await agreed(site, "amal", "badr")
    visitor = await vhs(site)
    page = await visitor.open("/pages/partner/offers")
    saved = await visitor.send(page.form("/seats"), seats="7")
    assert "Seats: 7" in saved.text
    assert "Confirmed on 1 June 2016." in saved.text
    wrong = await visitor.send(saved.form("/seats"), seats="many")
    assert (wrong.status, wrong.form("/seats").fields["seats"]) == (422, "many")
    for long in ("0000000009999999", "0" * 5000):
        assert (await visitor.send(wrong.form("/seats"), seats=long)).status == 422
    fewer = await visitor.send(wrong.form("/seats"), seats="1")
    assert fewer.status == 409
    assert "Seats held or taken: 2" in fewer.text
    assert "counts as confirmed today" in (await visitor.send(fewer.form("/confirmation"))).text


async def test_fewer_seats_than_are_held_are_asked_about_once_more_and_then_taken_away(site: Site):
    await agreed(site, "amal", "badr")
    visitor = await vhs(site)
    page = await visitor.open("/pages/partner/offers")
    assert not [form for form in page.forms if form.action.endswith("/fewer-seats")]
    asked = await visitor.send(page.form("/seats"), seats="1")
    assert "places already promised would be lost: 1." in asked.text
    assert (await site.house.books())["held"] == 2
    confirming = asked.form("/fewer-seats")
    assert confirming.fields["seats"] == "1"
    done = await visitor.send(confirming)
    assert (done.status, "Seats: 1, held or taken: 1, free: 0." in done.text) == (200, True)
    books = await site.house.books()
    assert (books["held"], books["referrals"]["cancelled"], books["balanced"]) == (1, 1, True)


async def test_appointments_stand_among_the_offers_with_day_time_and_way_until_they_are_over(site: Site):
    said = {"sort": "counselling-slot", "begins": "09:00", "minutes": 45, "way": "video"}
    slot = {"kind": ADVICE, "cefr_from": None, "cefr_to": None, "ends_on": None, "seats": 1, "particulars": said}
    async with partner_of(site.house) as partner:
        for name, day in (("over", "2016-05-31"), ("ahead", "2016-06-14")):
            assert (await put(partner, name, **slot, starts_on=day)).status_code == 200
    told = (await (await vhs(site)).open("/pages/partner/offers")).text
    assert "on 14 June 2016, 09:00–09:45 (by video)" in told
    assert "31 May 2016" not in told


async def test_a_whole_course_is_reported_at_once_and_a_row_that_fails_hinders_no_other(site: Site):
    referrals = await accepted(site, "amal", "badr", "chen")
    visitor = await vhs(site)
    course = f"/pages/partner/offers/{id_of('course', 'offer')}"
    form = (await visitor.open(course)).form("/steps")
    nothing = await visitor.send(form)
    assert "Nothing is chosen in any row." in nothing.text
    rows = [f"row-{referrals[name]}" for name in ("amal", "badr", "chen")]
    ends = [value for value in _options((await visitor.open(course)).answer.text) if value.startswith(_END)]
    form = (await visitor.open(course)).form("/steps")
    some = await visitor.send(form, **{rows[0]: ends[0], rows[1]: f"{_END}:no-such-code"})
    assert some.status == 422
    assert "Recorded: 1. Still open: 1." in some.text
    assert await state_of(site, "amal") not in ("accepted", "agreed")
    assert await state_of(site, "badr") == "accepted"
    again = await visitor.send(some.form("/steps"), **{rows[1]: ends[0], rows[2]: ends[-1]})
    assert "Everything is recorded." in again.text
    assert (await site.house.books())["accepted"] == 0


_END = "completion"


def _options(html: str) -> list[str]:
    return [part.split('"')[0] for part in html.split('<option value="')[1:]]


async def test_the_participants_are_a_file_that_no_spreadsheet_takes_for_formulas(site: Site):
    await accepted(site, "amal", "badr")
    visitor = await vhs(site, "de")
    answer = (await visitor.open(f"/pages/partner/offers/{id_of('course', 'offer')}/participants.csv")).answer
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert {row["Vornamen"] for row in rows} == {"Amal"}
    assert all(row["Familienname"].startswith("'=SUM(1)") for row in rows)
    assert {(row["Telefon"], row["Sprachen"], row["Stand"]) for row in rows} == {("'+49 541 1", "Arabisch", "Zugesagt")}


@pytest.mark.parametrize(("typed", "wrong"), [("2016-06-14", set()), ("20160614", {"on"}), ("2016-W24-2", {"on"})])
async def test_a_day_is_written_as_a_browser_sends_it(typed: str, wrong: set[str]):
    asked = [one for one in fields_of(StepKind.SCHEDULING, next(iter(ServiceKind))) if one.name == "on"]
    assert set(missing(asked, {"on": typed})) == wrong


async def test_every_state_and_every_step_of_a_partner_has_its_words(site: Site):
    said = Catalogue(HERE / "messages")
    wanted = {f"partner.state.{state}" for state in ReferralState}
    for step in {step for state in ReferralState for step in steps_at(state)}:
        wanted |= {f"partner.step.{step}", f"partner.done.{step}"}
        wanted |= {f"partner.field.{one.name}" for kind in ServiceKind for one in fields_of(step, kind)}
    assert [one for one in sorted(wanted) if not said.has(one)] == []


async def test_everything_that_an_offer_may_decide_on_has_its_words(site: Site):
    said = Catalogue(HERE / "messages")
    attributes = {rule.attribute for rule in RULES if rule.attribute is not None} | {"languages"}
    assert [name for name in sorted(attributes) if not said.has(f"partner.person.{name}")] == []


async def test_what_is_told_of_a_person_is_said_in_words_and_never_as_a_code():
    words = Words(Catalogue(HERE / "messages"), "de")
    told = {
        "levels": {"listening": "a2", "reading": None, "writing": "a1"},
        "literacy": "second-script",
        "self_payer": False,
        "available": ["weekend"],
        "sex": None,
        "languages": ["ara", "kur"],
        "distance": 0.2,
    }
    assert dict(words.person(told)) == {
        "Deutsch im Einzelnen": "Hören A2, Schreiben A1",
        "Lesen und Schreiben": "in anderer Schrift alphabetisiert",
        "Zahlt selbst": "nein",
        "Hat Zeit": "am Wochenende",
        "Geschlecht": "nicht bekannt",
        "Sprachen": "Arabisch, Kurdisch",
        "Entfernung": "im selben Meldebezirk",
    }


async def test_a_page_asked_for_before_a_sign_out_that_comes_after_it_does_not_sign_in_again(site: Site):
    await agreed(site, "amal")
    visitor = await vhs(site)
    slow = await visitor.client.get("/pages/partner/new")
    assert "Signed in: vhs" in slow.text
    page = await visitor.open("/pages/partner/offers")
    await visitor.send(page.form("/sign-out"))
    visitor.client.cookies.extract_cookies(slow)  # the slow answer arrives now
    assert (await visitor.open("/pages/partner/new")).path == LOCAL_SIGN_IN


async def test_every_page_greets_a_partner_by_its_name_also_one_that_says_no(site: Site):
    await agreed(site, "amal")
    visitor = await vhs(site)
    assert "Signed in: vhs Sign out" in (await visitor.open("/pages/partner/new")).text, "not in the directory yet"
    await fill(site.house)
    for path in ("/pages/partner/new", "/pages/partner/offers", "/pages/signed-out", "/pages/no-such-page"):
        page = await visitor.open(path)
        assert f"Signed in: {ENTRY['name']} Sign out" in page.text, path
    assert (await visitor.open("/pages/network/partners")).text.count(ENTRY["name"]) == 1, (
        "refused, and still signed in"
    )
