"""Tags of any quality: where they end, and what they hold."""

from __future__ import annotations

import pytest

from fediblog.markup.tokens import Close, Open, Token, tokenise


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("a <b>c</b > d", ["a ", Open("b", {}), "c", Close("b"), " d"]),
        ("<A HREF='x' Href=y>", [Open("a", {"href": "x"})]),
        ("<a b=c/d e/f/>", [Open("a", {"b": "c/d", "e": "", "f": ""})]),
        ("<a b \n = \t 'c>' d=\"e'\"f>", [Open("a", {"b": "c>", "d": "e'", "f": ""})]),
        ("<a b=>c", [Open("a", {"b": ""}), "c"]),
        ('<a =b ==c ="d>e', [Open("a", {"=b": "=c", '="d': ""}), "e"]),
        ("<a b=''c=\"\"'d>", [Open("a", {"b": "", "c": "", "'d": ""})]),
        ("</a b='>'>c", [Close("a"), "c"]),
        ("<a\x0bb>", [Open("a\x0bb", {})]),
        ("<a b\xa0c>", [Open("a", {"b\xa0c": ""})]),
        ("<b>c<a d='e>f", [Open("b", {}), "c"]),
        ("<b>c<a d", [Open("b", {}), "c"]),
        ("<b>c<a d=", [Open("b", {}), "c"]),
        ("1 < 2 <", ["1 ", "<", " 2 ", "<"]),
        ("a<!-->b<!x>c<?y>d</>e", ["a", "b", "c", "d", "e"]),
        ("<style a='>'>b</style c='>'>d<title>e", ["d"]),
    ],
)
def test_tokens(html: str, wanted: list[Token]) -> None:
    assert list(tokenise(html)) == wanted
