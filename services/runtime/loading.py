"""What a try at a slice rests on: the states that its messages name, loaded or assumed.

States are loaded together, in few queries. The one that a message is about is not loaded if this process wrote it last: it is assumed to be
as it was left (`recent.py`), and the version under which it is written guards that. Whatever would end without such a write forsakes
the assumption first, and so does every look at a subject that the message is not about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Final

from services.runtime.deciding import Command, Due, Logic, Message, Received, S, States, Subject
from services.runtime.driver_errors import DRIVER
from services.runtime.errors import Conflict, Transient
from services.runtime.outcomes import Work
from services.runtime.reading import Fetched
from services.runtime.recent import Recent
from services.runtime.records import Asked, NewerShape, RawRecord, Stored, letter_id
from services.runtime.store import CountyStore

NOT_THE_RULES: Final = (Transient, Conflict, NewerShape, DRIVER)
"""What loading a state may raise while a message is decided. It says nothing about the message."""


class Loaded:
    """`states` by subject, and the records that are `parked` behind them, by parked id; the caller changes both as it decides.

    `answers` (digest and body by key and place) were given to commands before, `settled_letters` are dead letters that lie in nobody's
    sequence and that an operator is done with. `seconds` is the time spent waiting for the database.
    """

    def __init__(self, logic: Logic, recent: Recent, store: CountyStore) -> None:
        self._logic = logic
        self._recent = recent
        self._store = store
        self.states: dict[Subject, Stored] = {}
        self.parked: dict[str, RawRecord] = {}
        self.answers: dict[Asked, tuple[str, bytes]] = {}
        self.settled_letters: frozenset[str] = frozenset()
        self.seconds = 0.0
        self._assumed: set[Subject] = set()

    @property
    def view(self) -> States:
        """The states as rules see them, read-only."""
        return _View(self.states)

    # --- for a slice ------------------------------------------------------------------------------------------------

    async def load(self, part: Sequence[Work]) -> None:
        """Load together what the slice names, and what it names when that is loaded; what only shows while deciding is loaded then."""
        own: dict[Subject, None] = {}
        named: dict[Subject, None] = {}
        keys: dict[str, None] = {}
        letters: list[str] = []
        messages: list[Message] = []
        for item in part:
            if isinstance(item, Fetched):
                message = received(item)
                if item.envelope is not None and item.envelope.subject.kind in self._logic.kinds:
                    (named if item.resolution else own)[item.envelope.subject] = None
                elif item.failure is not None and item.resolution is None:
                    letters.append(letter_id(self._store.county, item.raw))
            else:
                message = item
                if isinstance(item, Command) and item.key:
                    keys[answer_key(item)] = None
            if message is not None:
                messages.append(message)
                subjects = self._foreseen(message)
                about = _about(message, subjects)
                if isinstance(message, Command) and about is not None:
                    # What is only looked at would be read after all, one by one, since no write guards it.
                    (named if isinstance(message.data, self._logic.looking) else own)[about] = None
                named.update(dict.fromkeys(subject for subject in subjects if subject != about))
        self._assume(subject for subject in own if subject not in named)
        with self._timed():
            if keys:
                self.answers = await self._store.load_answers(list(keys))
            if letters:
                self.settled_letters = await self._store.settled_dead_letters(letters)
        await self.subjects({**own, **named})
        await self.subjects(dict.fromkeys(subject for message in messages for subject in self._foreseen(message)))

    def _assume(self, subjects: Iterable[Subject]) -> None:
        for subject in subjects:
            stored = self._recent.find(self._store.county, subject)
            if stored is not None:
                self.states[subject] = stored
                self._assumed.add(subject)

    def _foreseen(self, message: Message) -> list[Subject]:
        """What the message names before anything is loaded. If a rule fails here, it fails again in the message's own turn."""
        try:
            return [subject for subject in self._names(message) if subject.kind in self._logic.kinds]
        except Exception:  # noqa: BLE001 - as above
            return []

    # --- for one message --------------------------------------------------------------------------------------------

    async def named(self, message: Message) -> Subject | None:
        """Load all that the message names, until it names nothing new; what it need not write is not assumed but read. Returns what it is
        about: the subject that it comes with, or the first that it names."""
        while True:
            subjects = list(self._names(message))
            about = _about(message, subjects)
            for subject in subjects:
                if subject != about:
                    self.forsake(subject)
            if all(subject in self.states for subject in subjects):
                return about
            await self.subjects(subjects)

    async def subjects(self, subjects: Iterable[Subject]) -> None:
        """Load those of these that are neither loaded nor assumed, with what is parked behind them."""
        missing = [subject for subject in subjects if subject not in self.states]
        if not missing:
            return
        with self._timed():
            loaded = await self._store.load(self._logic.kinds, missing)
            self.states.update(loaded)
            waiting = [subject for subject, stored in loaded.items() if stored.parked]
            if waiting:
                self.parked.update(await self._store.load_parked(waiting))

    def forsake(self, subject: Subject | None) -> bool:
        """Forget a state that is only assumed, unless this slice writes it: then its version guards it."""
        if subject is None or subject not in self._assumed or self.states[subject].changed:
            return False
        self._assumed.discard(subject)
        del self.states[subject]
        return True

    def _names(self, message: Message) -> Iterable[Subject]:
        if isinstance(message, Due):
            yield message.subject
        yield from self._logic.names(message, self.view)

    @contextmanager
    def _timed(self) -> Generator[None]:
        """Counts the time inside as waiting for the database."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            yield
        finally:
            self.seconds += clock() - began


class _View:
    def __init__(self, states: dict[Subject, Stored]) -> None:
        self._states = states

    def get(self, model: type[S], id: str) -> S:
        stored = self._states.get(Subject(model.KIND, id))
        if stored is None:
            raise KeyError(f"names() did not name the {model.KIND} that decide() reads")
        if not isinstance(stored.state, model):
            raise TypeError(f"{model.KIND} is declared by another model")
        return stored.state

    def known(self, model: type[S], id: str) -> S | None:
        stored = self._states.get(Subject(model.KIND, id))
        if stored is None or (stored.version == 0 and not stored.changed):
            return None
        return self.get(model, id)


def _about(message: Message, named: Sequence[Subject]) -> Subject | None:
    if isinstance(message, Received):
        return message.envelope.subject
    return named[0] if named else None


def answer_key(command: Command) -> str:
    """Keys are their senders' own: two people may come upon the same one. A key has no blank in it."""
    return f"{command.key} {command.actor}"


def received(fetched: Fetched) -> Received | None:
    """The record as rules see it; None when its type is not subscribed to, or it could not be read."""
    if fetched.envelope is None or fetched.data is None:
        return None
    return Received(fetched.envelope, fetched.data)
