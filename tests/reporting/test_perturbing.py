"""`wegenetz perturb`: the method on anybody's own file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import main
from services.reporting.disclosure.draws import LARGEST_KEYS, published
from services.reporting.disclosure.method import PUBLISHED_BY
from services.reporting.disclosure.perturbing import BadFile, perturb
from services.reporting.sums import Sum

SECRET = b"a secret of one's own"


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, LARGEST_KEYS))))
def test_each_count_becomes_what_a_release_would_publish(rows: list[tuple[int, int]]) -> None:
    text = "place,count,keys\n" + "".join(f"p{place},{count},{keys}\n" for place, (count, keys) in enumerate(rows))
    answer = perturb(text.encode(), SECRET, PUBLISHED_BY)
    read = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(line["figure"]) for line in read] == [published(PUBLISHED_BY, SECRET, Sum(*row)) for row in rows]
    assert [line["place"] for line in read] == [f"p{place}" for place in range(len(rows))]
    assert answer.refused == ()


def test_a_bad_line_is_named_and_the_good_ones_are_answered() -> None:
    text = "\ufeffcount;keys;Ort\n10;77;Melle\nzehn;78;Bramsche\n-1;79;Artland\n30;80\n\n40;81;Melle\n"
    answer = perturb(text.encode(), SECRET, PUBLISHED_BY)
    assert [line.split(";")[0] for line in answer.text.splitlines()] == ["Ort", "Melle", "Melle"]
    assert [sentence.partition(":")[0] for sentence in answer.refused] == ["Line 3", "Line 4", "Line 5"]
    assert "whole number" in answer.refused[0]
    assert "2 values" in answer.refused[2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"place,count\nx,1\n", "column `keys`"),
        (b"", "column `count`"),
        (b"count,keys,figure\n1,2,3\n", "`figure` already"),
        ("count,keys,Straße\n1,2,x\n".encode("cp1252"), "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_remedy(text: bytes, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        perturb(text, SECRET, PUBLISHED_BY)


def test_the_command_prints_the_answer_and_tells_of_bad_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts, secret = tmp_path / "counts.csv", tmp_path / "secret"
    counts.write_text("place,count,keys\nmelle,12,5\nbramsche,x,6\n")
    secret.write_bytes(SECRET)
    assert main(["perturb", str(counts), "--secret-file", str(secret)]) == 1
    told = capsys.readouterr()
    figure = published(PUBLISHED_BY, SECRET, Sum(12, 5))
    assert told.out == f"place,figure\nmelle,{figure}\n"
    assert told.err.startswith("Line 3: `count`")
    assert main(["perturb", str(counts), "--secret-file", str(secret), "--most", "1", "--variance", "9"]) == 1
    assert "no distribution" in capsys.readouterr().err
