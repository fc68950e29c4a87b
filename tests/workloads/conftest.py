"""Jobs as processes, a bucket on moto, and a JAX of two CPU devices in the tests' own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.processes import free_port

# Before JAX is imported anywhere: no accelerator, and two devices, so that sharing work among devices is tested too.
os.environ["JAX_PLATFORMS"] = "cpu"
_FLAGS = "--xla_force_host_platform_device_count=2"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_FLAGS}".strip()

WORKLOADS = Path(__file__).resolve().parents[2] / "workloads"
# As a sitecustomize: what the tests start hears Ctrl-C also where a shell runs the tests in its background.
HEARS_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
SMALL = {
    "model": {"layers": 1, "width": 16, "heads": 2, "context": 16},
    "batch_size": 4,
    "corpus_bytes": 1_000_000,
    "checks": "off",
}


@dataclass
class Ended:
    """What one process of a job left."""

    status: int
    verdict: dict[str, Any]
    log: str
    termination: str

    @property
    def reason(self) -> str:
        return self.verdict["reason"]


@dataclass
class Launcher:
    """Starts the processes of a job as pods do, and collects what they leave."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, config: Mapping[str, Any], processes: int = 1, **environment: str) -> list[subprocess.Popen[bytes]]:
        """One process for each index; ``environment`` overrides what a pod would get."""
        common = {
            **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
            **self.environment,
            "PYTHONPATH": str(WORKLOADS),
            "JAX_PLATFORMS": "cpu",
            "TRAIN_CONFIG": json.dumps(dict(config)),
            "JAX_NUM_PROCESSES": str(processes),
            "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{free_port()}",
        }
        return [self._start_one({**common, **own, **environment}) for own in map(self._own, range(processes))]

    def _own(self, index: int) -> dict[str, str]:
        return {"JOB_COMPLETION_INDEX": str(index), "NODE_NAME": f"node-{index}"}

    def _start_one(self, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        base = self.folder / f"process-{len(self.started)}"
        environment.setdefault("TERMINATION_LOG", f"{base}.termination")
        with base.with_suffix(".out").open("wb") as out, base.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen([sys.executable, "-m", "train"], env=environment, stdout=out, stderr=err)
        self.started.append(process)
        return process

    def wait(self, process: subprocess.Popen[bytes], timeout_s: float = 120) -> Ended:
        status = process.wait(timeout_s)
        base = self.folder / f"process-{self.started.index(process)}"
        lines = base.with_suffix(".out").read_text().splitlines()
        verdict = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        termination = base.with_suffix(".termination")
        left = termination.read_text() if termination.exists() else ""
        return Ended(status, verdict, base.with_suffix(".err").read_text(), left)

    def run(self, config: Mapping[str, Any], processes: int = 1, **environment: str) -> list[Ended]:
        return [self.wait(process) for process in self.start(config, processes, **environment)]

    def wait_for(self, process: subprocess.Popen[bytes], text: str, timeout_s: float = 120) -> None:
        """Until the process has logged ``text``."""
        log = (self.folder / f"process-{self.started.index(process)}").with_suffix(".err")
        deadline = time.monotonic() + timeout_s
        while text not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{text!r} was not said within {timeout_s} s: {log.read_text()}"
            time.sleep(0.02)

    def end_all(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of compiled programs that the tests' jobs share."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def jobs(tmp_path: Path, compiled: Path) -> Iterator[Launcher]:
    """Starts jobs; ends what is left of them."""
    launcher = Launcher(tmp_path, {"JAX_COMPILATION_CACHE_DIR": str(compiled)})
    yield launcher
    launcher.end_all()


@pytest.fixture(scope="session")
def moto_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from local import moto
    from local.paths import DataRoot

    root = DataRoot(tmp_path_factory.mktemp("moto"))
    yield moto.ensure(root).endpoint_url
    moto.stop(root)


@pytest.fixture
def bucket(moto_endpoint: str, jobs: Launcher, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """An empty bucket ``checkpoints`` that the jobs reach as pods do; reads an object of it as JSON."""
    import boto3

    environment = {
        "AWS_ENDPOINT_URL": moto_endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    jobs.environment.update(environment)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="checkpoints")
    for item in s3.list_objects_v2(Bucket="checkpoints").get("Contents", []):
        s3.delete_object(Bucket="checkpoints", Key=item["Key"])
    return lambda key: json.loads(s3.get_object(Bucket="checkpoints", Key=key)["Body"].read())
