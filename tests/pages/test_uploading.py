"""A form with a file, byte by byte."""

from __future__ import annotations

import httpx
import pytest

from services.referral.pages.network.uploading import parts
from services.runtime.problems import Problem


@pytest.mark.parametrize("content", [b"", b"\r\n", b"a\r\nb\r\n", b"--other\r\n\r\n", bytes(range(256))])
def test_a_file_arrives_byte_by_byte_as_it_was_sent(content: bytes):
    request = httpx.Request("POST", "http://here", data={"form": "s"}, files={"file": ("n", content)})
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    assert parts(request.read(), boundary) == {"form": b"s", "file": content}


@pytest.mark.parametrize("body", [b"", b"--b", b"--b\r\n\r\nx", b"--b\r\nno head\r\n--b--", b"x\r\n--b\r\n\r\n--b--"])
def test_a_body_that_is_no_form_is_told_so(body: bytes):
    with pytest.raises(Problem) as told:
        parts(body, b"b")
    assert told.value.status_code == 400
