"""Sockets that the server listens on, and what is said where that does not work."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fediblog.cli import listen_sockets
from fediblog.errors import Refused


def test_a_name_may_stand_for_several_addresses() -> None:
    with listen_sockets.sockets("localhost:0") as bound:
        assert bound
        for each in bound:
            with socket.create_connection(each.getsockname()[:2], timeout=5):
                pass


def test_addresses_are_written_as_people_do(tmp_path: Path) -> None:
    with listen_sockets.sockets("127.0.0.1:0") as bound:
        assert listen_sockets.name_of(bound[0]) == f"127.0.0.1:{bound[0].getsockname()[1]}"
    with listen_sockets.sockets(f"unix:{tmp_path}/socket") as bound:
        assert listen_sockets.name_of(bound[0]) == f"unix:{tmp_path}/socket"
    assert listen_sockets.split("[::1]:8080") == ("::1", 8080)


@pytest.mark.parametrize(
    ("listen", "message"),
    [
        ("no-such-host.invalid:8080", "no-such-host.invalid is no address of this machine"),
        ("192.0.2.1:8080", "192.0.2.1:8080 is no address of this machine"),
        ("unix:/nowhere/socket", "Listening on unix:/nowhere/socket does not work"),
    ],
)
def test_where_nobody_can_listen(listen: str, message: str) -> None:
    with pytest.raises(Refused) as caught, listen_sockets.sockets(listen):
        pass
    assert message in caught.value.message


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(Refused, match="is no socket"), listen_sockets.sockets(f"unix:{path}"):
        pass
    assert path.read_text() == "precious"
