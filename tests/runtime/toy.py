"""A small domain that is not ours, for the tests of the messaging core: accounts of a village bank.

The shop tells what its customers pay (`Paid`), and that one of them is to be forgotten (`OwnerErased`); the post tells what it weighed. The
bank books, and tells so (`Booked`). An account keeps its entries in order, so that a lost, doubled or swapped message shows.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pymongo import ASCENDING, IndexModel, InsertOne

from schemas.envelope import Envelope, Subject
from services.runtime.clock import HandClock
from services.runtime.deciding import Command, Decision, Due, Forget, Logic, Message, Received, State, States, Write
from services.runtime.errors import Permanent, Refused
from services.runtime.reading import Reader
from services.runtime.records import RawRecord
from services.runtime.settle import Outcome, Settler
from services.runtime.store import Collection, state_collection
from services.runtime.telemetry import Telemetry

START = datetime(2016, 3, 1, 8, 0, tzinfo=UTC)
SHOP_TOPIC = "shop.events.v1"
POST_TOPIC = "post.events.v1"
BANK_TOPIC = "bank.events.v1"


# --- what is told -------------------------------------------------------------------------------------------------------


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    TYPE: ClassVar[str]


class Paid(_Told):
    TYPE = "wegenetz.shop.paid.v1"
    amount: int


class OwnerErased(_Told):
    TYPE = "wegenetz.shop.owner-erased.v1"


class Greeted(_Told):
    """The bank does not subscribe to it."""

    TYPE = "wegenetz.shop.greeted.v1"


class Weighed(_Told):
    TYPE = "wegenetz.post.weighed.v1"
    grams: int


class Booked(_Told):
    TYPE = "wegenetz.bank.booked.v1"
    amount: int
    text: str = ""


class Closed(_Told):
    TYPE = "wegenetz.bank.closed.v1"


SUBSCRIBED = (Paid, OwnerErased, Weighed)


# --- what is asked for --------------------------------------------------------------------------------------------------


class Pay(BaseModel):
    account: str
    amount: int
    text: str = ""


class Transfer(BaseModel):
    giver: str
    taker: str
    amount: int


class Remind(BaseModel):
    account: str
    at: tuple[datetime, ...]


class Befriend(BaseModel):
    """From now on whatever the account is paid, its friend is paid too."""

    account: str
    friend: str


class Print(BaseModel):
    """Slips have numbers, and a number is given once."""

    account: str
    slip: str


class Close(BaseModel):
    account: str


class Receipt(BaseModel):
    balance: int


# --- the state ----------------------------------------------------------------------------------------------------------


class Account(State):
    KIND = "account"
    entries: tuple[str, ...] = ()
    balance: int = 0
    friend: str | None = None
    reminders: tuple[datetime, ...] = ()
    closed: bool = False

    def due_at(self) -> datetime | None:
        return min(self.reminders, default=None)


class Friend(BaseModel):
    """A fact that stays inside."""

    id: str


@dataclass(frozen=True)
class Entered:
    text: str


@dataclass(frozen=True)
class Reminders:
    at: tuple[datetime, ...]


@dataclass(frozen=True)
class Slip:
    """An effect: a document of the bank's own."""

    account: str
    number: str


SLIPS = Collection(
    "slips",
    (IndexModel([("county", ASCENDING), ("number", ASCENDING)], name="once", unique=True),),
    {"required": ["number"]},
)
COLLECTIONS = (state_collection(Account), SLIPS)


# --- the rules ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bank:
    """The rules of the bank. On amounts in `fails_on` they fail in a way nobody foresaw, until somebody repairs them."""

    fails_on: frozenset[int] = frozenset()
    heeds: frozenset[type[BaseModel]] = frozenset()

    def logic(self) -> Logic:
        return Logic("bank", (Account,), self.names, self.decide, evolve, writes, heeds=self.heeds)

    def names(self, message: Message, states: States) -> Iterable[Subject]:
        first = _first(message)
        yield first
        if isinstance(message, Command) and isinstance(message.data, Transfer):
            yield account(message.data.taker)
        if isinstance(message, Received) and isinstance(message.data, Paid):
            known = states.known(Account, first.id)
            if known is not None and known.friend is not None:
                yield account(known.friend)

    def decide(self, message: Message, states: States, now: datetime) -> Decision:
        own = states.get(Account, _first(message).id)
        if isinstance(message, Due):
            return self._reminded(own, now)
        data = message.data
        if getattr(data, "amount", None) in self.fails_on:
            raise ZeroDivisionError("an amount that belongs to somebody")
        if own.closed:
            return Decision(answer=Receipt(balance=own.balance))
        return _RULES[type(data)](own, data)

    def _reminded(self, own: Account, now: datetime) -> Decision:
        """One reminder at a time."""
        if own.balance in self.fails_on:
            raise ZeroDivisionError("a balance that belongs to somebody")
        due = [at for at in own.reminders if at <= now]
        if not due:
            return Decision()
        left = tuple(at for at in own.reminders if at != min(due))
        return Decision([(own.subject, Entered(f"reminded {min(due):%d.%m.}")), (own.subject, Reminders(left))])


def _paid(own: Account, paid: Paid) -> Decision:
    if paid.amount < 0:
        raise Permanent("negative-amount", "amount")
    paid_too = [account(own.friend)] if own.friend is not None else []
    return Decision([(subject, Booked(amount=paid.amount)) for subject in (own.subject, *paid_too)])


def _close(own: Account, _: object) -> Decision:
    return Decision([(own.subject, Closed())], [Forget(own.subject)], Receipt(balance=0))


def _pay(own: Account, pay: Pay) -> Decision:
    if own.balance + pay.amount < 0:
        raise Refused("overdrawn")
    booked = Booked(amount=pay.amount, text=pay.text)
    return Decision([(own.subject, booked)], answer=Receipt(balance=own.balance + pay.amount))


def _transfer(own: Account, transfer: Transfer) -> Decision:
    if own.balance < transfer.amount:
        raise Refused("overdrawn")
    facts = [
        (own.subject, Booked(amount=-transfer.amount)),
        (account(transfer.taker), Booked(amount=transfer.amount)),
    ]
    return Decision(facts, answer=Receipt(balance=own.balance - transfer.amount))


def _befriend(own: Account, befriend: Befriend) -> Decision:
    if own.friend == befriend.friend:
        return Decision()
    return Decision([(own.subject, Friend(id=befriend.friend))])


def _print(own: Account, wanted: Print) -> Decision:
    return Decision([(own.subject, Entered(f"slip {wanted.slip}"))], [Slip(own.id, wanted.slip)])


_RULES: Mapping[type[BaseModel], Callable[[Account, Any], Decision]] = {
    Paid: _paid,
    Weighed: lambda own, weighed: Decision([(own.subject, Entered(f"{weighed.grams} g"))]),
    OwnerErased: _close,
    Close: _close,
    Pay: _pay,
    Transfer: _transfer,
    Remind: lambda own, remind: Decision([(own.subject, Reminders(remind.at))]),
    Befriend: _befriend,
    Print: _print,
}


def evolve(state: Account, fact: object, at: datetime) -> Account:
    match fact:
        case Booked(amount=amount):
            return state.but(entries=(*state.entries, f"{amount:+d}"), balance=state.balance + amount)
        case Entered(text=text):
            return state.but(entries=(*state.entries, text))
        case Reminders(at=reminders):
            return state.but(reminders=reminders)
        case Friend(id=id):
            return state.but(friend=id)
        case Closed():
            return Account(id=state.id, closed=True)
        case _:
            raise TypeError(type(fact).__name__)


def writes(county: str, effects: Sequence[object]) -> Iterable[Write]:
    for effect in effects:
        if not isinstance(effect, Slip):
            raise TypeError(type(effect).__name__)
        if effect.number == "unprintable":
            raise ValueError("a number that belongs to somebody")
        document = {"_id": str(uuid.uuid4()), "county": county, "account": effect.account}
        yield Write("slips", InsertOne(document if effect.number == "blank" else document | {"number": effect.number}))


def _first(message: Message) -> Subject:
    if isinstance(message, Received):
        return message.envelope.subject
    if isinstance(message, Due):
        return message.subject
    return account(getattr(message.data, "account", None) or getattr(message.data, "giver", ""))


def account(id: str) -> Subject:
    return Subject("account", id)


# --- messages -----------------------------------------------------------------------------------------------------------


def an_id(name: str) -> str:
    """The same id for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


ANNA, BERT, CARLA = an_id("anna"), an_id("bert"), an_id("carla")


def record(
    county: str,
    account_id: str,
    sequence: int,
    data: BaseModel,
    *,
    topic: str | None = None,
    offset: int = 0,
    value: bytes | None = None,
    traceparent: str | None = None,
    headers: Mapping[str, bytes | None] | None = None,
) -> RawRecord:
    """A record as its source would send it. `value` replaces the payload, `headers` single headers."""
    type_name: str = getattr(data, "TYPE")  # noqa: B009
    source = type_name.split(".")[1]
    envelope = Envelope(
        id=str(uuid.uuid5(uuid.UUID(account_id), f"{source}/{sequence}")),
        source=source,
        type=type_name,
        subject=account(account_id),
        county=county,
        sequence=sequence,
        time=START,
        traceparent=traceparent,
    )
    return RawRecord(
        topic=topic or f"{source}.events.v1",
        partition=0,
        offset=offset,
        key=str(envelope.subject).encode(),
        value=data.model_dump_json().encode() if value is None else value,
        headers=tuple({**dict(envelope.to_headers()), **(headers or {})}.items()),
    )


def reader() -> Reader:
    return Reader(SUBSCRIBED)


@dataclass
class Watched:
    """What the settler says that happened."""

    conflicts: int = 0
    times: list[tuple[str, timedelta]] = field(default_factory=list[tuple[str, timedelta]])

    def settled(self, doors: Sequence[str], outcomes: Sequence[Outcome], seconds: Mapping[str, float]) -> None:
        assert len(doors) == len(outcomes)

    def elapsed(self, times: Sequence[tuple[str, timedelta]]) -> None:
        self.times += times

    def conflict(self, size: int) -> None:
        self.conflicts += 1


def settler(bank: Bank | None = None, *, clock: HandClock | None = None, largest_slice: int = 500) -> Settler:
    """A bank at work."""
    return Settler(
        (bank or Bank()).logic(),
        reader(),
        clock or HandClock(START),
        Telemetry(tracing=False),
        Watched(),
        largest_slice,
    )


# --- the shop, as a service of its own ----------------------------------------------------------------------------------


class Sell(BaseModel):
    account: str
    amount: int


class Erase(BaseModel):
    account: str


class Customer(State):
    """What the shop knows of whoever has an account at the bank."""

    KIND = "account"
    purchases: int = 0


def shop_logic() -> Logic:
    def names(message: Message, states: States) -> Iterable[Subject]:
        yield _first(message)

    def decide(message: Message, states: States, now: datetime) -> Decision:
        assert isinstance(message, Command)
        subject = _first(message)
        if isinstance(message.data, Sell):
            return Decision([(subject, Paid(amount=message.data.amount))])
        return Decision([(subject, OwnerErased())], [Forget(subject)])

    def evolved(customer: Customer, fact: object, at: datetime) -> Customer:
        return customer.but(purchases=customer.purchases + 1)

    return Logic("shop", (Customer,), names, decide, evolved)
