"""A stored message is worded in the language of who reads it; whatever else is stored is shown as it is."""

from __future__ import annotations

import pytest

from fediblog.errors import NotFound, Refused, Unavailable
from fediblog.messages.stored import pack, unpack


def test_a_stored_message_is_worded_for_who_reads_it() -> None:
    stored = pack("delivery.answered", status=503)
    assert unpack("en", stored) == "The server answered 503."
    assert unpack("de", stored) == "Der Server antwortete mit 503."


def test_its_values_may_be_messages() -> None:
    stored = pack("trouble.clock-ahead", host="two.test", length=pack("length.days", n=1))
    assert unpack("en", stored) == "two.test: 1 day ahead of ours"
    assert unpack("de", stored) == "two.test geht 1 Tag vor"


@pytest.mark.parametrize(
    "stored",
    [
        *("", "the server answered 503", "{", '{"key":', '{"key":1}', '{"key":"no.such-key"}', '{"key":[]}'),
        *('{"key":"length.days"}', '{"key":"error.later","n":{}} and more'),
    ],
)
def test_what_is_none_is_shown_as_it_is(stored: str) -> None:
    """As of earlier versions, of later ones, and what was cut off."""
    assert unpack("de", stored) == stored


def test_long_values_are_cut_and_leave_it_whole() -> None:
    stored = pack("unavailable.detailed", what=pack("unavailable.tls"), detail='"' * 5_000)
    assert len(stored) < 1_000
    assert unpack("de", stored).startswith('Keine sichere Verbindung ("""')


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("answer-too-large", n=5), "Die Antwort hat mehr als 5 Bytes."),
        (Refused("nothing-known-of-this"), "nothing known of this"),
        (NotFound("error.file", name="a.png", message=Refused("too-slow")), "a.png: Das hat zu lange gedauert."),
        (Unavailable("tls", detail="a.test: expired"), "Keine sichere Verbindung (a.test: expired)"),
        (
            Unavailable("unreachable", 5, "a.test", key="unavailable.closed").again(9),
            "Der Server hat die Verbindung ohne Antwort geschlossen (a.test)",
        ),
        (Unavailable("nothing-known-of-this"), "nothing known of this"),
    ],
)
def test_an_error_says_the_same_at_once_and_after_it_was_stored(error: Refused | Unavailable, said: str) -> None:
    assert error.sentence("de") == said
    assert unpack("de", error.packed()) == said
