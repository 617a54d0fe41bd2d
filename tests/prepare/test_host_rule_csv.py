"""Lists of rules about servers, as Mastodon's administrators export them and as others hand them on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fediblog.prepare.host_rule_csv import MOST_LINES, HostLine, read, write

MASTODON = (  # spec/fixtures/files/domain_blocks.csv of Mastodon 4.5
    b"#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate,#reject_follows\n"
    b"bad.domain,silence,false,false,bad,false,false\nworse.domain,suspend,true,true,worse,true,false\n"
    b"reject.media,noop,true,false,reject media,false,false\n"
)
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=10)


def test_what_mastodon_exports() -> None:
    assert read(MASTODON) == [
        HostLine(2, "bad.domain", "silence", False, False, "bad"),
        HostLine(3, "worse.domain", "suspend", True, True, "worse"),
        HostLine(4, "reject.media", "noop", True, False, "reject media"),
    ]


def test_one_name_a_line_and_other_orders() -> None:
    assert read(b"a.example\r\n# a remark\r\n\r\nb.example\r\n") == [HostLine(1, "a.example"), HostLine(4, "b.example")]
    assert read("\ufeffdomain\nc.example\n".encode()) == [HostLine(2, "c.example")]
    swapped = b"#severity,#domain\nsuspend,d.example\n"
    assert read(swapped) == [HostLine(2, "d.example", "suspend")]
    assert len(read(b"a.example\n" * (MOST_LINES + 9))) == MOST_LINES + 1


@given(st.binary(max_size=200))
def test_anything_can_be_read(data: bytes) -> None:
    read(data)


@given(st.lists(st.tuples(TEXT, st.sampled_from(["suspend", "silence", "noop"]), st.booleans(), st.booleans(), TEXT)))
def test_what_is_written_is_read(rows: list[tuple[str, str, bool, bool, str]]) -> None:
    lines = [HostLine(number, f"x{row[0]}", *row[1:]) for number, row in enumerate(rows, 2)]
    assert read(write(lines).encode()) == lines
