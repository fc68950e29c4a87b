"""One moto server a data root: started once, its loss noticed, its port defended by name."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local import moto
from local.aws.provider import AwsProvider
from local.paths import DataRoot, LocalCloudError
from tests.local.aws.driver import Driver, Refused


@pytest.fixture
def own_root(tmp_path: Path) -> Iterator[DataRoot]:
    root = DataRoot(tmp_path)
    yield root
    moto.stop(root)


def test_concurrent_callers_start_one_server(own_root: DataRoot) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: moto.ensure(own_root), range(4)))
    assert len({server.pid for server in servers}) == 1
    assert not any(server.was_lost for server in servers)
    moto.stop(own_root)
    assert moto.running(own_root) is None
    assert not psutil.pid_exists(servers[0].pid)


def test_a_killed_server_is_told_in_one_sentence_and_its_successor_says_so(own_root: DataRoot) -> None:
    driver = Driver(AwsProvider(own_root)).configure(region="us-east-1")
    driver.create("aws:s3/bucket:Bucket", "b", {})
    server = moto.running(own_root)
    assert server is not None
    process = psutil.Process(server.pid)
    process.kill()
    process.wait(5)
    with pytest.raises(Refused) as refused:
        driver.create("aws:s3/bucket:Bucket", "c", {})
    assert "has stopped" in refused.value.details
    assert "Traceback" not in refused.value.details
    assert "\n" not in refused.value.details
    again = moto.ensure(own_root)
    assert again.was_lost
    assert again.port == server.port


def test_a_port_held_by_a_stranger_names_its_process(own_root: DataRoot) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        own_root.moto.mkdir(parents=True)
        (own_root.moto / "moto.json").write_text(json.dumps({"pid": 1, "port": port, "started_at": 0}))
        with pytest.raises(LocalCloudError) as refused:
            moto.ensure(own_root)
    assert str(port) in str(refused.value)
    assert f"process {os.getpid()}" in str(refused.value)
