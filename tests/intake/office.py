"""An office in Landkreis Osnabrück, as the tests of intake use it: who comes in, and rules that see what they name and no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel

from schemas.codes import Role, Way
from schemas.envelope import Subject
from schemas.events import AppointmentBooked
from services.intake.books import total
from services.intake.columns import Entries
from services.intake.commands import CountArrival, FileRow, MovePerson, ReadPerson, RegisterArrival
from services.intake.facts import Tally
from services.intake.model import Case, Teller
from services.intake.registering import Source, to_command
from services.intake.row_keys import digest
from services.intake.rows import RowReader
from services.intake.sealing import CountyKeys, Keyring
from services.intake.service import SERVICE
from services.runtime.calendar import berlin_day
from services.runtime.deciding import Message, S
from services.runtime.ids import Ids
from tests.given import World

COUNTY = "03459"
BRAMSCHE = "034590014"
MUNICIPALITY = "034590014014"
ELSEWHERE = "034590024"
OFFICE = "034590014"
TUESDAY = datetime(2016, 1, 5, 8, 0, tzinfo=UTC)
IDS = Ids("tests")

ROW_KEY = bytes(range(32, 64))
DESTROYED = datetime(2016, 2, 4, 8, 0, tzinfo=UTC)
"""When what is kept of a row ends."""

KEYRING = Keyring(bytes(range(32)))


def keys() -> CountyKeys:
    return KEYRING.of(COUNTY)


def case_id(number: int) -> str:
    return IDS.root("case", str(number))


def cells(**told: str) -> dict[str, str]:
    """A good row by column name; `told` changes or adds cells."""
    good = {
        "family_name": "Łączak",
        "given_names": "Żaneta",
        "birth_date": "17.05.1990",
        "sex": "w",
        "citizenships": "152",
        "municipality_key": MUNICIPALITY,
        "arrival_date": "04.01.2016",
        "origin": "ausland",
        "languages": "pl en",
        "phone": "0541 000000",
        "email": "zaneta@example.org",
        "consent": "ja",
        "consent_language": "pl",
        "consent_text": "2016-1",
    }
    return good | told


def entries(today: date = date(2016, 1, 5), **told: str) -> Entries:
    row = cells(**told)
    read = RowReader(COUNTY, today, list(row)).read(list(row.values()))
    assert isinstance(read, Entries), read
    return read


def arrival(
    number: int = 1,
    *,
    now: datetime = TUESDAY,
    way: Way = Way.OFFICE_API,
    teller: Teller = Teller.REGISTRY_OFFICE,
    row: bool = False,
    **told: Any,
) -> Any:
    """The command for one arrival; with `row` as a file brings it."""
    today = berlin_day(now)
    read = entries(today, **told)
    source = Source(way, OFFICE, teller, today)
    taken = FileRow(digest=digest(ROW_KEY, read), destroy_at=DESTROYED) if row else None
    command = to_command(read, source, keys(), id=case_id(number), row=taken)
    assert isinstance(command, RegisterArrival | CountArrival)
    return command


class Intake(World):
    """Intake's rules. A decision sees the states that its message names, as in the runtime; seeing another is an error."""

    def __init__(self, now: datetime = TUESDAY) -> None:
        super().__init__(SERVICE.logic, county=COUNTY, now=now)
        self._named: set[Subject] | None = None

    def asks(self, data: BaseModel, actor: str = "somebody", key: str = "") -> Any:
        return super().asks(data, actor, key)

    @property
    def today(self) -> date:
        return berlin_day(self.now)

    def decides(self, message: Message) -> Any:
        self._named = set()
        while True:
            named = set(self._names(message))
            if named <= self._named:
                break
            self._named |= named
        try:
            return super().decides(message)
        finally:
            self._named = None

    def _names(self, message: Message) -> Iterable[Subject]:
        return self.logic.names(message, self)

    def get(self, model: type[S], id: str) -> S:
        if self._named is not None and Subject(model.KIND, id) not in self._named:
            raise KeyError(f"{model.KIND} was not named")
        return super().get(model, id)

    def known(self, model: type[S], id: str) -> S | None:
        if self._named is not None and Subject(model.KIND, id) not in self._named:
            return None
        return super().known(model, id)

    # --- people -----------------------------------------------------------------------------------------------------

    def registers(self, number: int = 1, **told: Any) -> AppointmentBooked:
        """Somebody arrives with consent; the appointment that the person is given."""
        self.asks(arrival(number, now=self.now, **told))
        return self.told_of(AppointmentBooked)[-1]

    def case(self, number: int = 1) -> Any:
        return self.get(Case, case_id(number))

    def command(self, message: Any, number: int = 1, **told: Any) -> Any:
        """A command about a person's case, given today; of a move the registry office speaks."""
        if message is MovePerson:
            told.setdefault("told_by", Teller.REGISTRY_OFFICE)
        return self.asks(message(case=case_id(number), today=self.today, **told))

    def reads(self, number: int = 1, **told: Any) -> Any:
        given = {"reader": "somebody", "role": Role.COUNSELLOR} | told
        return self.command(ReadPerson, number, **given)

    def books(self) -> dict[str, int]:
        """The books that all decisions together have written."""
        sums: Counter[str] = Counter()
        for effect in self.effects:
            if isinstance(effect, Tally):
                sums.update(effect.changes)
        return total(sums)
