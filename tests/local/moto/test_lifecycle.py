"""One moto server a data root: started once, its loss noticed, its port defended by name."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local import moto
from local.aws.provider import AwsProvider
from local.files import write_atomically
from local.paths import CHECKOUT, DataRoot, LocalCloudError
from local.processes import RECORD_SUFFIX, ProcessRecord, wait_until
from tests.local.aws.driver import Driver, Refused

pytestmark = pytest.mark.real


@pytest.fixture
def own_root(tmp_path: Path) -> Iterator[DataRoot]:
    root = DataRoot(tmp_path)
    yield root
    moto.stop(root)


def test_concurrent_callers_start_one_server(own_root: DataRoot) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: moto.ensure(own_root), range(4)))
    assert len({server.pid for server in servers}) == 1
    assert not moto.lost_marker(own_root).exists()
    moto.stop(own_root)
    assert moto.running(own_root) is None
    assert not psutil.pid_exists(servers[0].pid)


def test_a_killed_server_is_told_in_one_sentence_and_its_successor_leaves_a_mark(own_root: DataRoot) -> None:
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
    assert again.port == server.port
    assert moto.lost_marker(own_root).exists()


def test_a_server_whose_starter_was_killed_is_taken_over(own_root: DataRoot) -> None:
    start = "from local import moto; from local.paths import DataRoot; moto.ensure(DataRoot.of_environment())"
    home = {**os.environ, "AI_DATACENTER_HOME": str(own_root.path)}
    starter = subprocess.Popen([sys.executable, "-c", start], cwd=CHECKOUT, env=home)
    record = own_root.moto / f"moto{RECORD_SUFFIX}"
    assert wait_until(record.exists, 30)
    starter.kill()
    starter.wait(5)
    started = ProcessRecord.read(record)
    assert moto.ensure(own_root).process == started
    assert not moto.lost_marker(own_root).exists()


def test_after_a_reboot_the_cloud_is_lost_and_whoever_has_the_process_id_now_is_left_alone(own_root: DataRoot) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        now = ProcessRecord.of(stranger.pid)
        assert now is not None
        of_last_boot = ProcessRecord(now.pid, f"another-boot:{now.started.rpartition(':')[2]}")
        of_last_boot.write(own_root.moto / f"moto{RECORD_SUFFIX}")
        server = moto.ensure(own_root)
        assert server.pid != stranger.pid
        assert moto.lost_marker(own_root).exists()
        assert stranger.poll() is None
        stranger.kill()


def test_a_port_held_by_a_stranger_names_its_process(own_root: DataRoot) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        write_atomically(own_root.moto / "port", str(port))
        with pytest.raises(LocalCloudError) as refused:
            moto.ensure(own_root)
    assert str(port) in str(refused.value)
    assert f"process {os.getpid()}" in str(refused.value)
