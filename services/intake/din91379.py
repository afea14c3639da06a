"""The characters in which names of natural persons are written in German registers: DIN 91379:2022, data type A.

That is: the norm's Latin letters, its sequences of a letter with combining marks for which Unicode has no single character, and
the non-letters of group N1 (blank, apostrophes, hyphen, comma, full stop and a few more). Text is NFC.
"""

from __future__ import annotations

import re
from typing import Final

_SINGLE: Final = (
    " ',-.A-Z`-z~¨´·À-ÖØ-öø-žƇƈƏƗƠơƯưƷǍ-ǜǞǟǢ-ǰǴǵǸ-ǿȒȓȘ-țȞȟȧ-ȳəɨʒʹʺʾʿˈˌḂḃḆḇḊ-ḑḗḜ-ḫḯ-ḷḺḻṀ-ṉṒ-ṛṞ-ṣṪ-ṯẀ-ẇẌ-ẗẞẠ-ỹ’‡"
)

_SEQUENCES: Final = {
    "\u030b": "Aa",
    "\u0300": "CFGKMPSTZcfgkmpstz",
    "\u0304": "CFHKNPSTZcfhknpstzÛûḲḳṢṣṬṭỤụ",
    "\u0306": "CMNRZcmnrzÇç",
    "\u0308": "CTZczẠạỌọỤụ",
    "\u0315": "CKPTckptČč",
    "\u0323": "CPcpČč",
    "\u0326": "CHKLNchklnŽž",
    "\u0328\u0306": "Cc",
    "\u0302": "DKLMNdklmn",
    "\u0331": "HSs",
    "\u0301": "JjÿĪī",
    "\u030c": "J",
    "\u0307": "KUku",
    "\u031b": "KTkt",
    "\u035fH": "K",
    "\u035fh": "Kk",
    "\u0325": "LRlr",
    "\u0325\u0304": "LRlr",
    "\u0310": "Mm",
    "\u031b\u0304": "Ss",
    "\u0327": "ZzŽž",
    "\u030d": "ēō",
}
"""Combining marks (with what follows them), and the letters that they may stand on."""

_USUAL: Final = re.compile(f"[{_SINGLE}]+")
_ANY: Final = re.compile(
    "(?:"
    + "|".join(f"[{letters}]{marks}" for marks, letters in sorted(_SEQUENCES.items(), key=lambda item: -len(item[0])))
    + f"|[{_SINGLE}])+"
)


def is_name(text: str) -> bool:
    """Whether `text` (NFC, not empty) has only characters of data type A."""
    # Nearly all names have no sequences; the second pattern is slower and only asked when the first one says no.
    return _USUAL.fullmatch(text) is not None or _ANY.fullmatch(text) is not None
