"""Counting, folding, rebuilding and erasing on the real database: nothing is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.codes import ServiceKind, Way
from schemas.events import (
    ArrivalCounted,
    ArrivalRegistered,
    EventData,
    OfferPublished,
    PersonErased,
    ReferralProposed,
    ReferralReleased,
)
from services.reporting import books as books_module
from services.reporting import rebuilding
from services.reporting.store import Rebuilt, one_instant, together
from services.reporting.sums import Sums
from services.reporting.tables import EDITION
from services.runtime.errors import Conflict, Refused
from services.runtime.records import RawRecord
from services.runtime.settle import Result
from tests.reporting.county import (
    AMAL,
    ARTLAND,
    BOGDAN,
    BRAMSCHE,
    COUNTY,
    MARCH,
    MELLE,
    Reporting,
    arrival,
    correction,
    id_of,
    need,
)
from tests.reporting.office import OTHER_COUNTY, Office, Sender

pytestmark = pytest.mark.asyncio(loop_scope="module")

JUNE = datetime(2016, 6, 15, tzinfo=UTC)


def a_county_at_work(people: int, seed: int = 1) -> list[tuple[str, EventData, datetime]]:
    """What is told of some people, of a few more who refused, and of two offers."""
    chance = random.Random(seed)
    words: list[tuple[str, EventData, datetime]] = []
    for number in range(people):
        who, at = id_of(f"person {seed} {number}"), MARCH + timedelta(hours=chance.randrange(2000))
        where = chance.choice([MELLE, BRAMSCHE, ARTLAND])
        words.append((who, arrival(district=where, arrived_on=at.date(), way=chance.choice([*Way])), at))
        if chance.random() < 0.2:
            words.append((who, correction(district=where, arrived_on=date(2016, 2, 1), birth_year=None), at))
        for wish in range(chance.randrange(3)):
            name = f"{number} {wish}"
            words.append((who, need(name, chance.choice([*ServiceKind])), at))
            step = {"referral": id_of(name), "need": id_of(name), "kind": "lotse"}
            words.append((who, ReferralProposed.model_validate(step | {"partner": "caritas"}), at))
            words.append((who, ReferralReleased.model_validate(step), at + timedelta(days=20)))
    refusal = ArrivalCounted(district=MELLE, arrived_in="2016-03", way=Way.OFFICE_FILE)
    words += [(id_of(f"refused {seed} {number}"), refusal, MARCH) for number in range(people // 5)]
    offer = OfferPublished(partner="vhs", kind=ServiceKind.LOTSE, district=MELLE, seats=12)
    words += [(id_of(f"offer {seed} {number}"), offer, MARCH) for number in range(2)]
    return words


def records_of(words: Sequence[tuple[str, EventData, datetime]], sender: Sender | None = None) -> list[RawRecord]:
    sender = sender or Sender()
    return [sender.record(*word) for word in words]


def by_topic(records: Sequence[RawRecord]) -> list[list[RawRecord]]:
    topics = sorted({record.topic for record in records})
    return [[record for record in records if record.topic == topic] for topic in topics]


def counted_in_memory(words: Sequence[tuple[str, EventData, datetime]]) -> Reporting:
    reporting = Reporting()
    for who, event, at in words:
        reporting.tell(who, event, at=at)
    return reporting


def figures(reporting: Reporting) -> dict[tuple[str, str, tuple[str, ...]], int]:
    return {(cell.table, cell.period, cell.values): figure.n for cell, figure in reporting.counted}


async def begun(office: Office) -> None:
    """Somebody began to have everything counted anew."""
    async with one_instant(office.running.database, COUNTY) as instant:
        await rebuilding.begin(instant)


async def stepped(office: Office, *, most: int) -> Rebuilt | None:
    async with one_instant(office.running.database, COUNTY) as instant:
        return await rebuilding.step(instant, most)


async def standing(office: Office) -> Sums:
    """Every cell, in one look."""
    async with one_instant(office.running.database, COUNTY) as instant:
        return together(await instant.sheets({}), await instant.entries(await instant.headings())).counted


async def figures_of(office: Office) -> dict[tuple[str, str, tuple[str, ...]], int]:
    return {(cell.table, cell.period, cell.values): figure.n for cell, figure in await office.counted()}


async def test_each_record_twice_topic_by_topic_and_from_two_sides_at_once_counts_once(office: Office) -> None:
    words = a_county_at_work(60)
    topics = by_topic(records_of(words))

    async def consume(order: list[list[RawRecord]]) -> list[Result]:
        return [result for records in order for result in await office.take(records)]

    results = await asyncio.gather(consume(topics), consume(topics[::-1]))

    applied = [result for side in results for result in side if result is Result.APPLIED]
    assert len(applied) == len(words)
    assert await figures_of(office) == figures(counted_in_memory(words))
    assert (await office.books.audit()).balanced


async def test_folding_changes_no_figure_and_leaves_few_entries(office: Office) -> None:
    records = records_of(a_county_at_work(40))
    for record in records[:150]:
        await office.take([record])
    before, entries = await office.counted(), await office.entries()
    assert entries >= books_module.FOLD_FROM

    await office.books.keep_up()

    assert await office.counted() == before
    assert await office.entries() == 0
    await office.take(records[150:])
    assert (await office.books.audit()).balanced


async def test_a_few_entries_are_not_worth_a_fold(office: Office) -> None:
    await office.take(records_of(a_county_at_work(10)))

    await office.books.keep_up()

    assert await office.entries() == 1


async def test_a_rebuild_leaves_every_bit_as_it_was_counted_live(office: Office) -> None:
    words = a_county_at_work(80)
    for records in by_topic(records_of(words)):
        await office.take(records)
    live = await office.counted()

    rebuilt = await office.books.rebuild()

    assert rebuilt.changed == 0
    assert rebuilt.cells == len(live)
    assert rebuilt.facts == len({who for who, _, _ in words})
    assert await office.counted() == live
    assert await office.entries() == 0
    assert (await office.books.rebuild()).changed == 0


@pytest.mark.parametrize("page", [books_module.PAGE, 7])
async def test_people_go_on_being_counted_while_a_rebuild_runs(
    office: Office, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(books_module, "PAGE", page)
    words = a_county_at_work(150)
    records, told = records_of(words), asyncio.Event()

    async def consume() -> None:
        for start in range(0, len(records), 9):
            await office.take(records[start : start + 9])
        told.set()

    async def rebuild() -> list[int]:
        changed: list[int] = []
        while not told.is_set():
            changed.append((await office.books.rebuild()).changed)
        return changed

    _, changed = await asyncio.gather(consume(), rebuild())

    assert changed
    assert not any(changed)
    assert await figures_of(office) == figures(counted_in_memory(words))
    assert (await office.books.audit()).balanced


@pytest.mark.parametrize("seed", range(2))
async def test_a_rebuild_step_by_step_changes_no_figure_whatever_happens_between_two_steps(
    office: Office, seed: int
) -> None:
    """People arrive, are corrected and are erased, in months that are closed and in open ones, on pages that were counted or were not."""
    chance, sender = random.Random(seed), Sender()
    await office.stand(max(JUNE + timedelta(days=1), office.running.clock.now()))
    words = a_county_at_work(40, seed)
    records = records_of(words, sender)
    told, rest = records[:60], records[60:]
    people = sorted({who for who, word, _ in words if isinstance(word, ArrivalRegistered)})
    rest += [sender.record(who, PersonErased(), JUNE) for who in chance.sample(people, 12)]
    chance.shuffle(rest)
    await office.take(told)
    await begun(office)

    rebuilt = None
    while rebuilt is None:
        before = await standing(office)
        rebuilt = await stepped(office, most=chance.randrange(2, 8))
        assert await standing(office) == before
        some = chance.randrange(24)
        await office.take(rest[:some])
        rest = rest[some:]
    await office.take(rest)

    assert rebuilt.changed == 0
    audit = await office.books.audit()
    assert audit.balanced
    assert (audit.erased, audit.facts["persons"]) == (12, len(people) - 12)
    assert audit.kept["persons"] > 0
    assert (await office.books.rebuild()).changed == 0


async def test_a_rebuild_that_was_cut_off_is_gone_on_with(office: Office) -> None:
    await office.take(records_of(a_county_at_work(30)))
    live = await office.counted()
    await begun(office)
    assert await stepped(office, most=10) is None

    await office.books.keep_up()

    assert await stepped(office, most=10) == Rebuilt(facts=38, cells=len(live), changed=0)
    assert await office.counted() == live
    assert (await office.books.audit()).balanced


async def test_what_was_stored_before_there_were_generations_is_counted_anew_like_everything_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_module, "FOLD_FROM", 1)
    records = records_of(a_county_at_work(20))
    await office.take(records[:50])
    await office.books.keep_up()
    await office.take(records[50:])
    live = await office.counted()
    raw = office.running.database.raw
    for counts in ("sheets", "ledger"):
        assert (await raw[counts].update_many({}, {"$unset": {"generation": ""}})).matched_count > 0
    for facts in ("cases", "counts", "offers"):
        await raw[facts].update_many({}, {"$unset": {"body.generation": ""}})
    await raw["books"].update_many({}, {"$unset": {"generation": "", "under_way": "", "rebuilt": ""}})

    assert (await office.books.rebuild()).changed == 0
    assert await office.counted() == live


async def test_figures_that_were_wrong_are_right_after_the_last_step_and_not_before(office: Office) -> None:
    await office.take(records_of(a_county_at_work(30)))
    await office.books.rebuild()
    whole = await office.counted()
    raw = office.running.database.raw
    sheet = await raw["sheets"].find_one({"table": "needs", "period": "2016-03"})
    assert sheet is not None
    await raw["sheets"].delete_one({"_id": sheet["_id"]})
    await begun(office)
    for _ in range(3):
        assert await stepped(office, most=10) is None
        assert await office.counted() != whole

    rebuilt = await office.books.rebuild()

    assert rebuilt.changed == len(sheet["counted"])
    assert await office.counted() == whole


async def test_of_two_rebuilds_at_the_same_time_both_end_well(office: Office) -> None:
    await office.take(records_of(a_county_at_work(30)))
    live = await office.counted()

    rebuilt = await asyncio.gather(office.books.rebuild(), office.books.rebuild())

    assert [one.changed for one in rebuilt] == [0, 0]
    assert await office.counted() == live


async def test_of_two_folds_at_the_same_time_one_does_it_and_the_other_gives_way(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books_module, "FOLD_FROM", 1)
    for record in records_of(a_county_at_work(20)):
        await office.take([record])
    live = await office.counted()

    folded = await asyncio.gather(office.books.fold(), office.books.fold(), return_exceptions=True)

    assert all(isinstance(one, int | Conflict) for one in folded)
    assert await office.counted() == live
    assert (await office.books.audit()).balanced


async def test_a_sheet_that_was_lost_shows_in_the_books_and_is_mended_by_a_rebuild(office: Office) -> None:
    await office.take(records_of(a_county_at_work(30)))
    await office.books.rebuild()
    whole = await office.counted()
    await office.running.database.raw["sheets"].delete_one({"table": "needs", "period": "2016-03"})

    audit = await office.books.audit()
    rebuilt = await office.books.rebuild()

    assert [line.table for line in audit.lines if line.difference] == ["needs"]
    assert rebuilt.changed > 0
    assert await office.counted() == whole
    assert (await office.books.audit()).balanced


async def test_an_erased_person_stays_in_closed_months_as_a_figure_and_nowhere_else(office: Office) -> None:
    sender = Sender()
    told = records_of([(AMAL, arrival(), MARCH), (AMAL, need("a"), MARCH), (BOGDAN, arrival(), MARCH)], sender)
    await office.take([*told, sender.record(AMAL, need("b"), JUNE)])
    before = await office.counted()
    await office.stand(JUNE + timedelta(days=1))

    await office.take([sender.record(AMAL, PersonErased(), JUNE)])
    await office.books.keep_up()

    after = await office.counted()
    assert {cell.period for cell in before.differing(after)} == {"2016-06"}
    assert not [cell for cell in after.cells() if cell.period == "2016-06"]
    assert await office.entries() == 0, "what one person left does not lie about as an entry of its own"
    traces = [line for line in (await office.contents()).splitlines() if AMAL in line or id_of("a") in line]
    assert [line.split(":")[0] for line in traces] == ["cases"]
    assert "'erased': True" in traces[0]
    assert "'needs': []" in traces[0]


async def test_what_waited_for_an_erased_person_is_forgotten_too(office: Office) -> None:
    sender = Sender()
    _, early = sender.record(AMAL, need("a")), sender.record(AMAL, need("b"))
    await office.take([sender.record(AMAL, arrival()), early])
    assert id_of("b") in await office.contents(), "it is parked: what came before it is missing"

    await office.take([sender.record(AMAL, PersonErased())])

    assert id_of("b") not in await office.contents()


async def test_what_an_erased_person_left_survives_rebuilds_and_repeats(office: Office) -> None:
    sender = Sender()
    told = records_of([(AMAL, arrival(), MARCH), (AMAL, need("a"), MARCH)], sender)
    await office.take(told)
    await office.stand(max(JUNE + timedelta(days=2), office.running.clock.now()))
    erased = sender.record(AMAL, PersonErased(), JUNE)
    await office.take([erased])
    live = await office.counted()

    assert (await office.books.rebuild()).changed == 0
    assert await office.take([*told, erased]) == [Result.REPEATED] * 3
    await office.take([sender.record(AMAL, need("late"), JUNE)])
    assert (await office.books.rebuild()).changed == 0
    assert await office.counted() == live
    audit = await office.books.audit()
    assert audit.balanced
    assert {line.table: line.kept for line in audit.lines}["needs"] == 1


async def test_one_county_is_not_counted_in_another(office: Office) -> None:
    await office.take(records_of(a_county_at_work(20)))
    await office.take(records_of(a_county_at_work(10, seed=2), Sender(OTHER_COUNTY)), county=OTHER_COUNTY)
    here, there = await office.books.audit(), await office.books_of(OTHER_COUNTY).audit()

    assert (here.totals["persons"], there.totals["persons"]) == (20, 10)
    assert (await office.books_of(OTHER_COUNTY).rebuild()).changed == 0
    assert (await office.books.audit()).totals == here.totals


async def test_after_the_tables_were_changed_everything_is_counted_anew_by_itself(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.take(records_of(a_county_at_work(20)))
    await office.books.rebuild()
    raw = office.running.database.raw
    await raw["books"].update_many({}, {"$set": {"edition": EDITION - 1}})
    await raw["sheets"].update_many({"table": "needs"}, {"$set": {"table": "wishes"}})

    with pytest.raises(Refused, match="counts-outdated"):
        await office.counted()
    await office.books.keep_up()

    assert (await office.books.audit()).balanced
    assert len(await office.books.counts("needs", "2016-01", "2016-12")) > 0


async def test_an_entry_of_an_older_program_has_everything_counted_anew(office: Office) -> None:
    await office.take(records_of(a_county_at_work(20)))
    live = await office.counted()
    await office.running.database.raw["ledger"].update_many({}, {"$set": {"edition": EDITION - 1, "counted": []}})

    await office.books.keep_up()

    assert await office.counted() == live


async def test_until_other_tables_are_counted_to_the_end_nobody_is_shown_a_figure(office: Office) -> None:
    await office.take(records_of(a_county_at_work(20)))
    live = await office.counted()
    await office.running.database.raw["ledger"].update_many({}, {"$set": {"edition": EDITION - 1}})
    await begun(office)
    while await stepped(office, most=10) is None:
        with pytest.raises(Refused, match="counts-outdated"):
            await office.counted()

    assert await office.counted() == live


async def test_a_rebuild_of_a_newer_program_is_left_alone(office: Office) -> None:
    await office.take(records_of(a_county_at_work(20)))
    await begun(office)
    newer = {"under_way.edition": EDITION + 1}
    await office.running.database.raw["books"].update_many({}, {"$set": newer})
    before = await office.contents()

    await office.books.keep_up()
    with pytest.raises(Refused, match="counts-outdated"):
        await office.books.rebuild()
    with pytest.raises(Refused, match="counts-outdated"):
        await office.counted()

    assert await office.contents() == before


async def test_counts_of_a_newer_program_are_left_alone(office: Office) -> None:
    await office.take(records_of(a_county_at_work(20)))
    await office.books.rebuild()
    await office.running.database.raw["books"].update_many({}, {"$set": {"edition": EDITION + 1}})
    before = await office.contents()

    await office.books.keep_up()

    assert await office.contents() == before
    with pytest.raises(Refused, match="counts-outdated"):
        await office.counted()
