"""The offices' files say what the offices know, in every way in which offices write (docs/architecture/import-format.md)."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import places
from schemas.codes import Way
from schemas.countries import citizenship
from schemas.languages import language
from simulation import assumptions
from simulation import files as files_module
from simulation.county import County, generate
from simulation.files import OfficeFile, Row, office_files, write_files
from simulation.people import Person
from simulation.rows import COLUMNS, Fate, Flaw, PlaceKey, Rhythm, fate_of


def read(content: bytes) -> list[list[str]]:
    """A file by the rules of the page: UTF-8 if all of it is, else Windows-1252; the separator that the headings have more of."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    first = text.splitlines()[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def rows(files: list[OfficeFile]) -> Iterator[Row]:
    return (row for file in files if not file.repeats for row in file.rows)


def test_every_file_can_be_read_back_as_it_was_meant(files: list[OfficeFile]) -> None:
    for file in files:
        headings, *cells = read(file.encode())
        assert headings in (list(COLUMNS), list(COLUMNS.values()))
        assert cells == [list(row.cells) for row in file.rows]


def test_everybody_who_comes_by_file_has_one_row_that_counts(files: list[OfficeFile], people: list[Person]) -> None:
    rows_of: dict[int, list[Row]] = defaultdict(list)
    for row in rows(files):
        rows_of[row.person].append(row)
    assert set(rows_of) == {person.index for person in people if person.way is Way.OFFICE_FILE}
    for written in rows_of.values():
        good = [row for row in written if row.flaw is None]
        assert len({row.cells for row in good}) <= 1
        assert sum(not row.repeats for row in good) <= 1
        assert [row.repeats for row in written if row.flaw] in ([], [False])
        assert good or written[0].flaw


def test_what_becomes_of_a_person_at_the_import_is_told_by_the_rows(
    files: list[OfficeFile], people: list[Person], county: County
) -> None:
    with_good_row = {row.person for row in rows(files) if row.flaw is None}
    for person in people:
        fate = fate_of(county.seed, person)
        if person.way is Way.OFFICE_FILE and person.index not in with_good_row:
            assert fate is Fate.REFUSED
        else:
            assert fate is (Fate.REGISTERED if person.consent.given else Fate.COUNTED)
    assert {fate_of(county.seed, person) for person in people} == set(Fate)


def test_bad_rows_are_as_many_and_of_such_kinds_as_assumed(files: list[OfficeFile], people: list[Person]) -> None:
    by_file = sum(person.way is Way.OFFICE_FILE for person in people)
    bad = Counter(row.flaw for row in rows(files) if row.flaw)
    assert bad.total() / by_file == pytest.approx(assumptions.ROW_BAD, abs=0.006)
    assert set(bad) == set(Flaw) == {Flaw(kind) for kind in assumptions.ROW_FLAWS}


def test_each_bad_row_has_exactly_its_flaw(files: list[OfficeFile], county: County, people: list[Person]) -> None:
    """Compared with the good row of the same person in the same office's hand."""
    for file in files:
        for row in file.rows:
            if row.flaw is None:
                continue
            good = files_module.cells(people[row.person], file.office)
            if row.flaw is Flaw.WRONG_CELL_COUNT:
                assert len(row.cells) == len(good) + 1
                continue
            changed = {
                column: (before, after)
                for column, before, after in zip(COLUMNS, good, row.cells, strict=True)
                if before != after
            }
            match row.flaw:
                case Flaw.IMPOSSIBLE_DATE:
                    ((column, (_, after)),) = changed.items()
                    assert column in ("Einzugsdatum", "Geburtsdatum")
                    assert "30.02." in after or "-02-30" in after
                    assert column == "Einzugsdatum" or people[row.person].consent.given
                case Flaw.UNKNOWN_PLACE:
                    ((column, (_, after)),) = changed.items()
                    assert column == "Gemeindeschluessel"
                    with pytest.raises(places.UnknownPlace):
                        places.locate(after)
                case Flaw.MISSING_VALUE:
                    assert all(after == "" for _, after in changed.values())
                    assert set(changed) <= {
                        "Familienname",
                        "Vornamen",
                        "Gemeindeschluessel",
                        "Einzugsdatum",
                        "Einwilligung",
                    }
                    assert changed


def test_good_rows_say_what_the_register_says(files: list[OfficeFile], people: list[Person]) -> None:
    for file in files:
        for row in file.rows:
            if row.flaw:
                continue
            known = people[row.person].register
            cells = dict(zip(COLUMNS, row.cells, strict=True))
            place = places.locate(cells["Gemeindeschluessel"])
            assert place.district.ars == known.district == file.office.district
            assert place.municipality is None or place.municipality.ars == known.municipality
            assert (cells["Familienname"], cells["Vornamen"]) == (known.family_name, known.given_names)
            if people[row.person].consent.given:
                assert tuple(map(language, cells["Sprachen"].split())) == known.languages
                assert [citizenship(key) for key in cells["Staatsangehoerigkeiten"].split()] == [
                    citizenship(key) for key in known.citizenships
                ]
                assert cells["Telefon"] == (known.phone or "")


def test_who_refuses_the_consent_gives_no_contact_away(files: list[OfficeFile], people: list[Person]) -> None:
    refused = [row for row in rows(files) if not people[row.person].consent.given and row.flaw is None]
    assert refused
    for row in refused:
        cells = dict(zip(COLUMNS, row.cells, strict=True))
        assert cells["Einwilligung"] in ("nein", "no")
        for voluntary in ("Telefon", "EMail", "Sprachen", "Staatsangehoerigkeiten", "Aufenthaltsgruppe"):
            assert cells[voluntary] == ""


def test_offices_write_in_every_way(files: list[OfficeFile]) -> None:
    offices = {file.office for file in files}
    assert len(offices) == 21
    assert {office.separator for office in offices} == {";", ","}
    assert {office.rhythm for office in offices} == set(Rhythm)
    assert {office.place_key for office in offices} == set(PlaceKey)
    assert {office.iso for office in offices} == {True, False}
    contents = [file.encode() for file in files]
    assert any(content.startswith(b"\xef\xbb\xbf") for content in contents)
    assert any(_is_only_windows_1252(content) for content in contents)
    assert any(not content.startswith(b"\xef\xbb\xbf") and not content.isascii() for content in contents)


def test_files_come_in_order_and_only_after_their_people(files: list[OfficeFile], people: list[Person]) -> None:
    assert [file.due_on for file in files] == sorted(file.due_on for file in files)
    assert len({file.name for file in files}) == len(files)
    for file in files:
        assert file.due_on.weekday() < 5
        assert all(people[row.person].registered_on < file.due_on for row in file.rows)


def test_repeated_rows_and_files_appear_and_repeat_what_was_there(
    files: list[OfficeFile], people: list[Person]
) -> None:
    seen: dict[int, tuple[str, ...]] = {}
    repeated = 0
    for row in rows(files):
        if row.repeats:
            repeated += 1
            assert seen[row.person] == row.cells
        elif row.flaw is None:
            seen[row.person] = row.cells
    assert repeated / len(seen) == pytest.approx(assumptions.ROW_REPEATED + assumptions.ROW_SENT_AGAIN, abs=0.01)
    contents = {file.name: file.encode() for file in files if not file.repeats}
    again = [file for file in files if file.repeats]
    assert again
    assert all(file.repeats and file.encode() == contents[file.repeats] for file in again)


def test_only_people_with_consent_stand_in_two_files(files: list[OfficeFile], people: list[Person]) -> None:
    """Of a refusal nothing is kept by which a second file could be recognised."""
    files_of: dict[int, set[str]] = defaultdict(set)
    for file in files:
        for row in file.rows:
            if not file.repeats and row.flaw is None:
                files_of[row.person].add(file.name)
    twice = [index for index, names in files_of.items() if len(names) > 1]
    assert twice
    assert all(people[index].consent.given for index in twice)


def test_files_are_made_on_the_way_with_few_people_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    county = generate(people=4000, seed=2)
    waiting: list[int] = []
    take = files_module._Desk.take

    def counted(desk: files_module._Desk, person: Person) -> None:
        take(desk, person)
        waiting.append(sum(map(len, desk.rows.values())) + sum(len(ready[2].rows) for ready in desk.ready))

    monkeypatch.setattr(files_module._Desk, "take", counted)
    handed_over = sum(len(file.rows) for file in office_files(county) if not file.repeats)
    assert handed_over > 3500
    assert max(waiting) < 4000 / 6  # two weeks and, for some offices, a month


def test_files_are_written_into_a_folder(tmp_path: Path) -> None:
    county = generate(people=40, seed=4)
    written = list(write_files(county, tmp_path))
    assert [path.name for path in written] == [file.name for file in office_files(county)]
    assert [path.read_bytes() for path in written] == [file.encode() for file in office_files(county)]


def _is_only_windows_1252(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        content.decode("cp1252")
        return True
    return False
