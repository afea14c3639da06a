"""What becomes of records: applied once, in order, whatever comes twice, too early, broken or not at all.

Each scenario is told to the store in memory and to the real database.
"""

from __future__ import annotations

from services.runtime.records import DeadLetter, RawRecord
from services.runtime.settle import Result
from tests.runtime.till import Till
from tests.runtime.toy import ANNA, BERT, Bank, Greeted, Paid, Weighed, reader, record

APPLIED, REPEATED, SKIPPED, PARKED, DEAD = (
    Result.APPLIED,
    Result.REPEATED,
    Result.SKIPPED,
    Result.PARKED,
    Result.DEAD,
)


def paid(till: Till, sequence: int, amount: int, account: str = ANNA, value: bytes | None = None) -> RawRecord:
    return record(till.county, account, sequence, Paid(amount=amount), value=value)


async def test_events_are_applied_in_order_and_answered_with_events_of_our_own(till: Till) -> None:
    assert await till.take(paid(till, 1, 10), paid(till, 2, 20)) == [APPLIED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20"]
    assert await till.told(ANNA) == [(1, "booked", {"amount": 10}), (2, "booked", {"amount": 20})]


async def test_a_repeat_is_skipped_in_the_same_batch_and_in_a_later_one(till: Till) -> None:
    assert await till.take(paid(till, 1, 10), paid(till, 1, 10)) == [APPLIED, REPEATED]
    assert await till.take(paid(till, 1, 10), paid(till, 2, 20), paid(till, 1, 10)) == [REPEATED, APPLIED, REPEATED]
    assert await till.entries(ANNA) == ["+10", "+20"]
    assert len(await till.told(ANNA)) == 2


async def test_what_comes_too_early_waits_and_is_applied_in_order(till: Till) -> None:
    assert await till.take(paid(till, 3, 30), paid(till, 2, 20)) == [PARKED, PARKED]
    assert await till.parked(ANNA) == [2, 3]
    assert await till.entries(ANNA) == []
    assert await till.take(paid(till, 1, 10)) == [APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20", "+30"]
    assert await till.parked(ANNA) == []
    assert await till.applied(ANNA) == 3


async def test_what_comes_too_early_and_its_predecessor_may_lie_in_one_batch(till: Till) -> None:
    assert await till.take(paid(till, 2, 20), paid(till, 1, 10)) == [PARKED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "+20"]
    assert await till.parked(ANNA) == []


async def test_what_is_to_be_heeded_takes_effect_at_once_and_again_in_its_turn(till: Till) -> None:
    till.open(Bank(heeds=frozenset({Paid})))
    broken, heeded = paid(till, 1, 10, value=b"{"), paid(till, 2, 5)
    assert await till.take(broken, heeded) == [DEAD, PARKED]
    assert (await till.entries(ANNA), await till.parked(ANNA), await till.applied(ANNA)) == (["+5"], [2], 0)

    till.open(Bank(heeds=frozenset({Paid})))
    assert await till.take(heeded) == [PARKED]
    assert await till.entries(ANNA) == ["+5"]

    (letter,) = await till.letters()
    await till.replay(letter["_id"], paid(till, 1, 10))
    assert await till.entries(ANNA) == ["+5", "+10", "+5"]
    assert (await till.parked(ANNA), await till.applied(ANNA)) == ([], 2)


async def test_what_is_to_be_heeded_and_cannot_be_waits_like_everything_else(till: Till) -> None:
    till.open(Bank(fails_on=frozenset({20}), heeds=frozenset({Paid})))
    assert await till.take(paid(till, 2, 20), paid(till, 3, 30)) == [PARKED, PARKED]
    assert (await till.entries(ANNA), await till.parked(ANNA)) == (["+30"], [2, 3])
    assert await till.take(paid(till, 1, 10)) == [APPLIED]
    assert (await till.entries(ANNA), await till.parked(ANNA)) == (["+30", "+10"], [3])


async def test_a_parked_record_that_comes_again_waits_once(till: Till) -> None:
    assert await till.take(paid(till, 2, 20), paid(till, 2, 20)) == [PARKED, PARKED]
    assert await till.take(paid(till, 2, 20)) == [PARKED]
    assert await till.parked(ANNA) == [2]
    await till.take(paid(till, 1, 10))
    assert await till.entries(ANNA) == ["+10", "+20"]


async def test_behind_a_gap_only_that_far_is_applied(till: Till) -> None:
    await till.take(paid(till, 2, 20), paid(till, 4, 40))
    await till.take(paid(till, 1, 10))
    assert await till.entries(ANNA) == ["+10", "+20"]
    assert await till.parked(ANNA) == [4]


async def test_one_accounts_gap_does_not_hold_up_another(till: Till) -> None:
    assert await till.take(paid(till, 2, 20), paid(till, 1, 5, BERT)) == [PARKED, APPLIED]
    assert await till.entries(BERT) == ["+5"]


async def test_each_source_counts_for_itself(till: Till) -> None:
    weighed = record(till.county, ANNA, 1, Weighed(grams=7))
    assert await till.take(paid(till, 2, 20), weighed, paid(till, 1, 10)) == [PARKED, APPLIED, APPLIED]
    assert await till.entries(ANNA) == ["7 g", "+10", "+20"]
    assert (await till.applied(ANNA, "shop"), await till.applied(ANNA, "post")) == (2, 1)


async def test_a_type_that_nobody_here_subscribes_to_only_counts(till: Till) -> None:
    greeted = record(till.county, ANNA, 2, Greeted())
    assert await till.take(paid(till, 1, 10), greeted, paid(till, 3, 30)) == [APPLIED, SKIPPED, APPLIED]
    assert await till.entries(ANNA) == ["+10", "+30"]
    assert await till.letters() == []


async def test_a_parked_record_of_a_type_that_nobody_subscribes_to_lets_the_next_one_pass(till: Till) -> None:
    await till.take(paid(till, 3, 30), record(till.county, ANNA, 2, Greeted()))
    await till.take(paid(till, 1, 10))
    assert await till.entries(ANNA) == ["+10", "+30"]


async def test_an_event_about_what_is_not_kept_here_is_passed_over(till: Till) -> None:
    elsewhere = record(till.county, ANNA, 1, Paid(amount=10), headers={"ce_subject": f"parcel/{ANNA}".encode()})
    assert await till.take(elsewhere) == [SKIPPED]
    assert await till.letters() == []


# --- dead letters -------------------------------------------------------------------------------------------------------


async def test_a_record_that_can_never_be_applied_is_kept_with_its_reason_and_place(till: Till) -> None:
    broken = paid(till, 1, 10, value=b"{")
    assert await till.take(broken) == [DEAD]
    (letter,) = await till.letters()
    assert (letter["reason"], letter["detail"]) == ("invalid-payload", "document: json_invalid")
    assert (letter["subject"], letter["source"], letter["sequence"]) == (f"account/{ANNA}", "shop", 1)
    assert RawRecord.from_document(letter["record"]) == broken


async def test_behind_a_dead_letter_the_subject_waits_and_others_do_not(till: Till) -> None:
    batch = [paid(till, 1, 10, value=b"{"), paid(till, 2, 20), paid(till, 1, 5, BERT), paid(till, 3, 30)]
    assert await till.take(*batch) == [DEAD, PARKED, APPLIED, PARKED]
    assert await till.entries(ANNA) == []
    assert await till.parked(ANNA) == [2, 3]
    assert await till.entries(BERT) == ["+5"]


async def test_a_dead_letter_that_is_delivered_again_is_the_same_one(till: Till) -> None:
    broken = paid(till, 1, 10, value=b"{")
    await till.take(broken, broken)
    assert await till.take(broken) == [DEAD]
    assert len(await till.letters()) == 1


async def test_a_parked_record_that_turns_out_to_be_broken_stops_its_subject_there(till: Till) -> None:
    await till.take(paid(till, 3, 30), paid(till, 2, 20, value=b"[]"))
    await till.take(paid(till, 1, 10))
    assert await till.entries(ANNA) == ["+10"]
    assert await till.reasons() == ["invalid-payload"]
    assert await till.parked(ANNA) == [3]


async def test_an_event_that_the_rules_call_impossible_is_a_dead_letter_with_their_reason(till: Till) -> None:
    assert await till.take(paid(till, 1, -1)) == [DEAD]
    assert await till.reasons() == ["negative-amount"]


async def test_a_replay_after_a_repair_applies_everything_in_order(till: Till) -> None:
    till.open(Bank(fails_on=frozenset({20})))
    failing = paid(till, 2, 20)
    assert await till.take(paid(till, 1, 10), failing, paid(till, 3, 30)) == [APPLIED, DEAD, PARKED]
    (letter,) = await till.letters()
    assert letter["reason"] == "rule-failed"

    till.open(Bank())
    assert (await till.replay(letter["_id"], RawRecord.from_document(letter["record"]))).result is APPLIED
    assert await till.entries(ANNA) == ["+10", "+20", "+30"]
    assert await till.letters() == []
    (settled,) = await till.letters("replayed")
    assert [entry["by"] for entry in settled["audit"]] == ["operator"]


async def test_a_replay_may_bring_a_corrected_record(till: Till) -> None:
    broken = paid(till, 1, 10, value=b"{")
    await till.take(broken, paid(till, 2, 20))
    (letter,) = await till.letters()
    assert (await till.replay(letter["_id"], paid(till, 1, 11))).result is APPLIED
    assert await till.entries(ANNA) == ["+11", "+20"]


async def test_a_replay_that_fails_again_leaves_the_dead_letter_as_it_lies(till: Till) -> None:
    await till.take(paid(till, 1, 10, value=b"{"))
    (before,) = await till.letters()
    outcome = await till.replay(before["_id"], paid(till, 1, -5))
    assert (outcome.result, str(outcome.error)) == (DEAD, "negative-amount: amount")
    assert await till.letters() == [before]


async def test_discarding_a_dead_letter_lets_the_others_pass_and_says_who_did_it(till: Till) -> None:
    broken = paid(till, 1, 10, value=b"{")
    await till.take(broken, paid(till, 2, 20))
    (letter,) = await till.letters()
    assert (await till.discard(letter["_id"], broken, by="olga")).result is SKIPPED
    assert await till.entries(ANNA) == ["+20"]
    (settled,) = await till.letters("discarded")
    assert settled["audit"] == [{"state": "discarded", "by": "olga"}]


async def test_a_discarded_record_that_is_delivered_again_is_a_repeat(till: Till) -> None:
    broken = paid(till, 1, 10, value=b"{")
    await till.take(broken)
    (letter,) = await till.letters()
    await till.discard(letter["_id"], broken)
    assert await till.take(broken) == [REPEATED]
    assert await till.letters() == []


async def test_of_two_operators_one_comes_too_late(till: Till) -> None:
    broken = paid(till, 1, 10, value=b"{")
    await till.take(broken)
    (letter,) = await till.letters()
    first = await till.replay(letter["_id"], paid(till, 1, 11), by="olga")
    second = await till.discard(letter["_id"], broken, by="otto")
    assert first.result is APPLIED
    assert (second.result, str(second.error)) == (DEAD, "dead-letter-settled")
    assert await till.entries(ANNA) == ["+11"]
    (settled,) = await till.letters("replayed")
    assert [entry["by"] for entry in settled["audit"]] == ["olga"]


async def test_one_dead_letter_never_becomes_two_events(till: Till) -> None:
    unreadable = record(till.county, ANNA, 1, Paid(amount=10), headers={"ce_sequence": None})
    await till.take(unreadable)
    (letter,) = await till.letters()
    assert (await till.replay(letter["_id"], paid(till, 1, 10), by="olga")).result is APPLIED
    assert (await till.replay(letter["_id"], paid(till, 2, 10), by="otto")).result is DEAD
    assert await till.entries(ANNA) == ["+10"]
    assert await till.applied(ANNA) == 1


# --- records that belong to nobody --------------------------------------------------------------------------------------


async def test_a_record_without_a_readable_envelope_stops_no_subject(till: Till) -> None:
    unreadable = record(till.county, ANNA, 1, Paid(amount=10), headers={"ce_sequence": None})
    assert await till.take(unreadable, paid(till, 1, 10)) == [DEAD, APPLIED]
    assert await till.reasons() == ["null-header"]


async def test_once_an_operator_is_done_with_an_unreadable_record_it_is_passed_over(till: Till) -> None:
    """Else a service that stopped because of too many of them would stop again at each start."""
    unreadable = record(till.county, ANNA, 1, Paid(amount=10), headers={"ce_subject": b"nobody"})
    await till.take(unreadable)
    (letter,) = await till.letters()
    assert await till.take(unreadable) == [DEAD]
    await till.discard(letter["_id"], unreadable)
    assert await till.take(unreadable) == [SKIPPED]


async def test_a_forged_record_does_not_stand_in_the_way_of_the_true_one(till: Till) -> None:
    """Somebody writes into the post's topic what only the shop may say."""
    forged = record(till.county, ANNA, 2, Paid(amount=999), topic="post.events.v1")
    assert await till.take(forged, paid(till, 2, 20), paid(till, 1, 10)) == [DEAD, PARKED, APPLIED]
    assert await till.reasons() == ["foreign-source"]
    assert await till.entries(ANNA) == ["+10", "+20"]


async def test_a_newer_version_of_a_subscribed_type_stops_its_subject(till: Till) -> None:
    newer = record(till.county, ANNA, 1, Paid(amount=10), headers={"ce_type": b"wegenetz.shop.paid.v2"})
    assert await till.take(newer, paid(till, 2, 20)) == [DEAD, PARKED]
    assert await till.reasons() == ["unsupported-version"]


# --- ids ----------------------------------------------------------------------------------------------------------------


def test_a_topics_owner_is_read_off_its_name() -> None:
    raw = record("03459", ANNA, 1, Paid(amount=1))
    for topic in ("shop.events.v1", "county-7-shop.events.v1"):
        read = reader().read(RawRecord(topic, 0, 0, None, raw.value, raw.headers))
        assert read.envelope is not None
        assert (read.envelope.subject.id, read.data) == (ANNA, Paid(amount=1))
    assert reader().read(RawRecord("post.events.v1", 0, 0, None, raw.value, raw.headers)).envelope is None


def test_the_same_record_elsewhere_in_the_log_is_the_same_dead_letter() -> None:
    here = record("03459", ANNA, 1, Paid(amount=10), offset=7)
    there = record("03459", ANNA, 1, Paid(amount=10), offset=7000)
    other = record("03459", ANNA, 1, Paid(amount=11), offset=7)
    assert DeadLetter(here, "r", "", None).id_in("03459") == DeadLetter(there, "other", "d", None).id_in("03459")
    assert DeadLetter(here, "r", "", None).id_in("03459") != DeadLetter(other, "r", "", None).id_in("03459")


def test_empty_absent_and_differently_split_content_are_told_apart() -> None:
    records = [
        RawRecord("t", 0, 0, None, None, ()),
        RawRecord("t", 0, 0, None, b"", ()),
        RawRecord("t", 0, 0, None, None, (("a", b""),)),
        RawRecord("t", 0, 0, None, None, (("a", None),)),
        RawRecord("t", 0, 0, None, None, (("a", b"\0hb\0\1"),)),
        RawRecord("t", 0, 0, None, None, (("a", b""), ("b", b""))),
        RawRecord("u", 0, 0, None, None, ()),
    ]
    assert len({each.digest for each in records}) == len(records)
