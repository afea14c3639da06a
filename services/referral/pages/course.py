"""A course with its participants: who they are, the list as a file, and what became of each of them, sent at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from schemas.codes import Role
from schemas.events import Uuid
from services.referral.offers import Offer
from services.referral.pages.contacts import Asked, Contact, Contacts
from services.referral.pages.participants import csv_file
from services.referral.pages.reading import Reading, Shown
from services.referral.pages.rows import Rows, choices_of, shared_fields, words_of
from services.referral.pages.words import Words, language_name
from services.runtime.pages import PREFIX, Pages, Visitor, page_for

Partner = Annotated[Visitor, Depends(page_for(Role.PARTNER))]

_ADDRESS: Final = f"{PREFIX}/partner/offers/{{offer}}"


class CoursePage:
    """Shows a course, with the participants' names or without."""

    def __init__(self, pages: Pages, reading: Reading, contacts: Contacts) -> None:
        self.pages = pages
        self.reading = reading
        self._contacts = contacts

    async def show(
        self, visitor: Visitor, offer: Offer, *, names: bool = False, status: int = 200, **more: object
    ) -> Response:
        participants = await self.reading.participants(visitor.signed_in, offer)
        words = Words(self.pages.catalogue, visitor.language)
        options = {
            one.line.referral: [(choice.value, words_of(choice, one.line.kind, words)) for choice in choices_of(one)]
            for one in participants
        }
        values: dict[str, object] = {
            "offer": offer,
            "participants": participants,
            "options": options,
            "shared": shared_fields(participants),
            "names": await self.names(visitor, participants) if names else {},
            "typed": {},
            "wrong": {},
            "done": None,
        }
        return self.pages.show(visitor, "course.html", status=status, **{**values, **more})

    async def file(self, visitor: Visitor, offer: Offer) -> Response:
        """The participants as CSV."""
        participants = await self.reading.participants(visitor.signed_in, offer)
        names = await self.names(visitor, participants)
        words = Words(self.pages.catalogue, visitor.language)
        header = [words.say(f"partner.column.{name}") for name in _COLUMNS]
        rows = [_row(one, names[one.line.referral], words, visitor) for one in participants]
        name = f"{words.say('partner.file-name')}-{offer.id[:8]}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(csv_file(header, rows), headers=headers, media_type="text/csv; charset=utf-8")

    async def names(self, visitor: Visitor, participants: Sequence[Shown]) -> dict[str, Asked]:
        """By referral."""
        cases = [one.line.case for one in participants if one.line.case is not None]
        asked = await self._contacts.ask_all(visitor.session.token, visitor.language, cases)
        return {one.line.referral: asked.get(one.line.case or "", Asked(None)) for one in participants}


def add_course(router: APIRouter, page: CoursePage, rows: Rows) -> None:
    reading = page.reading

    @router.get(_ADDRESS)
    async def course(visitor: Partner, offer: Uuid) -> Response:
        return await page.show(visitor, await reading.offer(visitor.signed_in, offer))

    @router.get(_ADDRESS + "/names")
    async def with_names(visitor: Partner, offer: Uuid) -> Response:
        """The same page with names, each of which intake records as read."""
        return await page.show(visitor, await reading.offer(visitor.signed_in, offer), names=True)

    @router.get(_ADDRESS + "/participants.csv")
    async def file(visitor: Partner, offer: Uuid) -> Response:
        return await page.file(visitor, await reading.offer(visitor.signed_in, offer))

    @router.post(_ADDRESS + "/steps")
    async def steps(visitor: Partner, offer: Uuid) -> Response:
        """What became of each. Rows that cannot be done stay as they were typed, with their sentence; the others are done."""
        form = await visitor.form()
        found = await reading.offer(visitor.signed_in, offer)
        settled = await rows.settle(visitor, form, await reading.participants(visitor.signed_in, found))
        if settled is None:
            return await page.show(visitor, found, status=422, done=0)
        if not settled.wrong:
            path = f"{PREFIX}/partner/offers/{offer}"
            return page.pages.go(visitor, path, visitor.session.saying("partner.course-done"))
        typed = {name: form.one(name) for name in form.fields}
        now = await reading.offer(visitor.signed_in, offer)
        return await page.show(visitor, now, status=422, typed=typed, wrong=settled.wrong, done=settled.done)


_COLUMNS: Final = (
    "family-name",
    "given-names",
    "birth-date",
    "phone",
    "email",
    "languages",
    "state",
    "referral",
    "remark",
)


def _row(one: Shown, asked: Asked, words: Words, visitor: Visitor) -> list[str]:
    contact = asked.contact or Contact()
    spoken = ", ".join(language_name(code, visitor.language) for code in contact.languages or ())
    remark = "" if asked.contact is not None else asked.why or words.say("partner.contact-away")
    return [
        contact.family_name or "",
        contact.given_names or "",
        contact.birth_date or "",
        contact.phone or "",
        contact.email or "",
        spoken,
        words.say(f"partner.state.{one.line.state}"),
        one.line.referral,
        remark,
    ]
