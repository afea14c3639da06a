"""What holds for every history, in whatever order it is told."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import PersonErased, ReferralReleased
from services.reporting.auditing import Tally, audited
from services.reporting.closing import is_closed
from services.reporting.counting import contributions, difference
from services.reporting.decide import Kept, Recounted
from services.reporting.model import Facts
from services.reporting.store import writes
from services.reporting.sums import Cell, Sum, Sums
from tests.reporting.county import AMAL, COUNTY, Reporting, arrival, id_of, sums_of
from tests.reporting.histories import NEW_YEAR, Word, histories, instants, interleaved

END = datetime(2017, 1, 1, tzinfo=UTC)


def reporting_that_heard(words: list[Word]) -> Reporting:
    reporting = Reporting(NEW_YEAR)
    for word in words:
        reporting.tell(word.id, word.event, at=word.at)
    return reporting


@settings(max_examples=30, deadline=None)
@given(told=histories(), data=st.data())
def test_the_order_in_which_topics_are_read_does_not_matter(told: list[list[Word]], data: st.DataObject):
    one = reporting_that_heard(interleaved(data, told))
    other = reporting_that_heard(interleaved(data, told))

    assert one.states == other.states
    assert one.counted == other.counted


@settings(max_examples=30, deadline=None)
@given(told=histories(), data=st.data())
def test_after_every_event_the_counts_are_what_the_facts_say_and_none_is_negative(
    told: list[list[Word]], data: st.DataObject
):
    reporting = Reporting(NEW_YEAR)
    for word in interleaved(data, told):
        reporting.tell(word.id, word.event, at=word.at)
        assert reporting.counted == reporting.recounted
        assert all(figure.n > 0 and figure.keys > 0 for _, figure in reporting.counted)


@settings(max_examples=30, deadline=None)
@given(told=histories(), data=st.data(), at=instants)
def test_an_erasure_leaves_closed_months_as_they_are_and_takes_the_open_ones_back(
    told: list[list[Word]], data: st.DataObject, at: datetime
):
    reporting = reporting_that_heard(interleaved(data, told))
    person = told[0][0].id
    before, rows = reporting.counted, contributions(reporting.facts(person))

    reporting.tell(person, PersonErased(), at=at)

    expected = Sums()
    expected.merge(before)
    expected.count((row for row in rows if not is_closed(row.period, at)), -1)
    assert reporting.counted == expected == reporting.recounted
    assert reporting.facts(person) == Facts(id=person, erased=True)
    assert not any(person in repr(effect) for effect in reporting.effects if isinstance(effect, Kept))


@settings(max_examples=30, deadline=None)
@given(told=histories(), data=st.data())
def test_what_several_writers_counted_in_batches_of_any_size_adds_up_to_what_one_would_have(
    told: list[list[Word]], data: st.DataObject
):
    reporting = reporting_that_heard(interleaved(data, told))
    effects = data.draw(st.permutations(reporting.effects))

    added_up = Sums()
    while effects:
        size = data.draw(st.integers(1, len(effects)))
        for write in writes(COUNTY, effects[:size]):
            for table, period, values, n, keys in write.operation._doc["counted"]:
                added_up.add(Cell(table, period, values), Sum(n, keys))
        effects = effects[size:]

    assert added_up == reporting.counted


@settings(max_examples=30, deadline=None)
@given(told=histories(), data=st.data())
def test_what_a_change_does_to_the_counts_is_found_without_counting_all_of_the_person_again(
    told: list[list[Word]], data: st.DataObject
):
    reporting = Reporting(NEW_YEAR)
    for word in interleaved(data, told):
        before = reporting.facts(word.id)
        decision = reporting.tell(word.id, word.event, at=word.at)
        after = decision.facts(word.id)
        new, old = contributions(after), contributions(before)
        assert difference(before, after) == (new - old, old - new)


@settings(max_examples=30, deadline=None)
@given(told=histories(), data=st.data())
def test_the_books_balance_and_a_single_lost_row_shows(told: list[list[Word]], data: st.DataObject):
    reporting = reporting_that_heard(interleaved(data, told))
    tally = Tally()
    for facts in reporting.states.values():
        assert isinstance(facts, Facts)
        tally.add(facts)

    whole = audited(reporting.counted, reporting.kept, tally)
    assert whole.balanced
    assert whole.totals == {name: whole.facts[name] + whole.kept[name] for name in whole.totals}
    known = [facts for facts in reporting.states.values() if isinstance(facts, Facts)]
    assert whole.erased == sum(facts.erased for facts in known)
    assert whole.facts["persons"] + whole.erased + whole.incomplete == len(known)

    lost = next(row for effect in reporting.effects if isinstance(effect, Recounted) for row in sorted(effect.added))
    less = sums_of(reporting.effects)
    less.count([lost], -1)
    audit = audited(less, reporting.kept, tally)
    assert not audit.balanced
    assert [line.table for line in audit.lines if line.difference] == [lost.table]


def test_a_step_that_is_counted_as_another_shows_although_the_table_adds_up():
    step = {"referral": id_of("r"), "need": id_of("n"), "kind": "lotse"}
    reporting = Reporting().tell(AMAL, arrival(), ReferralReleased.model_validate(step))
    tally = Tally()
    tally.add(reporting.facts(AMAL))
    (taken,) = (row for row in contributions(reporting.facts(AMAL)) if row.table == "referral-steps")
    swapped = reporting.counted
    swapped.count([taken], -1)
    swapped.count([taken._replace(values=(taken.values[0], "agreed"))])

    audit = audited(swapped, reporting.kept, tally)

    assert not audit.balanced
    assert not any(line.difference for line in audit.lines)
    assert (audit.totals["agreed"], audit.facts["agreed"]) == (1, 0)
