"""Who listens where: the holder of a port is named, and nobody else is taken for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.control_plane import ports
from local.control_plane.ports import Place
from local.moto import lifecycle
from local.paths import LocalCloudError
from local.processes import ProcessRecord, who_holds

OTHER_ADDRESS = "127.0.0.2"
LISTEN = """
import socket
server = socket.socket()
server.bind(("127.0.0.1", int(input())))
server.listen()
print("listening", flush=True)
input()
"""


def listener(address: str, port: int = 0) -> socket.socket:
    server = socket.socket()
    server.bind((address, port))
    server.listen()
    return server


def test_a_port_of_one_address_is_not_held_by_a_listener_on_another() -> None:
    with listener("127.0.0.1") as stranger:
        port = stranger.getsockname()[1]
        assert who_holds(port, OTHER_ADDRESS) is None
        holder = who_holds(port)
        assert holder is not None
        assert holder.pid == os.getpid()


@pytest.mark.parametrize("address", [OTHER_ADDRESS, "0.0.0.0"])
def test_the_holder_of_a_port_listens_on_the_address_or_on_all(address: str) -> None:
    with listener(address) as server:
        holder = who_holds(server.getsockname()[1], OTHER_ADDRESS)
        assert holder is not None
        assert holder.pid == os.getpid()


def test_a_moto_is_not_doubted_for_a_stranger_with_its_port_on_another_address() -> None:
    moto = ProcessRecord.of(os.getpid())
    assert moto is not None
    with listener(OTHER_ADDRESS) as server, subprocess.Popen(
        [sys.executable, "-c", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:  # fmt: skip
        port = server.getsockname()[1]
        assert stranger.stdin
        assert stranger.stdout
        stranger.stdin.write(f"{port}\n")
        stranger.stdin.flush()
        assert stranger.stdout.readline() == "listening\n"
        assert lifecycle._serves(moto, OTHER_ADDRESS, port)
        stranger.kill()


def test_the_refusal_of_a_clusters_port_names_who_has_it_on_the_clusters_address(tmp_path: Path) -> None:
    with listener(OTHER_ADDRESS) as server, pytest.raises(LocalCloudError, match=f"process {os.getpid()}"):
        ports.require_free(tmp_path, Place(OTHER_ADDRESS, server.getsockname()[1]))
