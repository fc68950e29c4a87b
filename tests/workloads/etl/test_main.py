"""The command as people start it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from etl.__main__ import main

from .conftest import command, files_of, text_of

Settings = dict[str, Any]


def ended(process: Any, timeout_s: float = 60) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=timeout_s)
    assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.mark.real
def test_the_number_of_processes_changes_no_byte_and_a_check_finds_it_whole(settings: Settings, tmp_path: Path) -> None:
    runs = [command({**settings, "workers": workers, "output": str(tmp_path / f"o{workers}")}) for workers in (1, 2)]
    for status, out, err in map(ended, runs):
        assert status == 0, err
        assert json.loads(out)["documents_kept"] == 60
        assert "kept      60 documents" in err
    assert files_of(tmp_path / "o1") == files_of(tmp_path / "o2")
    status, out, err = ended(command({}, "verify", str(tmp_path / "o2")))
    assert (status, json.loads(out)["damaged"], err) == (0, [], f"{tmp_path}/o2: whole\n")


@pytest.mark.parametrize(
    ("arguments", "configuration", "sentence"),
    [
        (["run"], '{"sources": 3}', "ETL_CONFIG is not usable: sources: Input should be a valid array; output: Field"),
        (["run"], None, "no configuration: name a JSON file, or set ETL_CONFIG"),
        (["run", "{}/c.json"], None, "cannot read the configuration {}/c.json: No such file or directory"),
        (
            ["run"],
            '{"sources": ["{}/gone"], "output": "{}/o"}',
            "cannot read source {}/gone: No such file or directory",
        ),
        (
            ["run"],
            '{"sources": ["{}/source"], "output": "{}/file/o"}',
            "cannot list {}/file/o: Not a directory: output must be a folder of its own",
        ),
        (
            ["run"],
            '{"sources": ["{}/source"], "output": "/proc/none/o"}',
            "cannot write to /proc/none/o: No such file or directory: give a folder that is yours",
        ),
        (["verify", "{}/o"], None, "there is nothing at {}/o: give the output of a run"),
        (["verify", "gs://x"], None, "gs://x is neither s3://bucket/prefix nor a folder"),
    ],
)
def test_what_goes_wrong_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], configuration: str | None, sentence: str,
) -> None:  # fmt: skip
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "argv", ["etl", *(word.replace("{}", str(tmp_path)) for word in arguments)])
    monkeypatch.delenv("ETL_CONFIG", raising=False)
    if configuration is not None:
        monkeypatch.setenv("ETL_CONFIG", configuration.replace("{}", str(tmp_path)))
    assert main() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"FAIL: {sentence.replace('{}', str(tmp_path))}")
    assert err.count("\n") == 1


def test_an_error_that_nobody_thought_of_is_still_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: str) -> int:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("etl.__main__._verify", broken)
    monkeypatch.setattr(sys, "argv", ["etl", "verify", "x"])
    assert main() == 1
    assert capsys.readouterr().err.startswith("FAIL: RuntimeError: two lines: ")


def full_disk() -> None:
    """No file may grow past 4 KB: what a full disk looks like to a writer."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))


@pytest.mark.real
def test_a_file_that_cannot_be_written_whole_is_named_and_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    status, out, err = ended(command(settings, preexec_fn=full_disk))
    assert (status, out) == (1, "")
    assert f"FAIL: cannot write {tmp_path}/out/tokenizer.json: File too large: make room or give rights" in err
    assert files_of(tmp_path / "out") == {}


@pytest.fixture
def many(settings: Settings, sources: Path) -> Settings:
    """A run that takes seconds."""
    rows = [json.dumps({"text": text_of(seed, 400)}) for seed in range(3000)]
    (sources / "many.jsonl").write_text("\n".join(rows))
    return {**settings, "shard_tokens": 600_000, "tokenizer_sample_bytes": 200_000, "batch_bytes": 50_000}


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_killed_at_any_moment_goes_on_to_the_same_bytes_and_leaves_no_process(
    many: Settings, tmp_path: Path, workers: int
) -> None:
    assert ended(command({**many, "output": str(tmp_path / "whole")}), 300)[0] == 0
    output, kills, random = tmp_path / "killed", 0, np.random.default_rng(workers)
    while True:
        process = command({**many, "workers": workers, "output": str(output)}, start_new_session=True)
        before = written(output)
        while process.poll() is None and written(output) == before:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.3))  # past the first file that it wrote, at any moment
        if process.poll() is not None:
            break
        kills += 1
        process.send_signal(signal.SIGKILL)
        process.communicate()
        until_none_is_left(process.pid)
    assert kills >= 3
    assert ended(process)[0] == 0
    assert files_of(output) == files_of(tmp_path / "whole")


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("[!.]*")}


def until_none_is_left(session: int) -> None:
    """Workers end with the process that started them."""

    def left() -> list[int]:
        return [pid for pid in psutil.pids() if pid != session and session_of(pid) == session]

    deadline = time.monotonic() + 10
    while found := left():
        assert time.monotonic() < deadline, f"processes {found} outlived their run"
        time.sleep(0.05)


def session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def hears_ctrl_c() -> None:
    """Also where these tests run in the background, for which shells let SIGINT be ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.real
@pytest.mark.parametrize("wait_s", [0.0, 1.0])  # while its workers start, and while they work
def test_ctrl_c_ends_a_run_with_one_line_and_leaves_no_process(many: Settings, wait_s: float) -> None:
    process = command({**many, "workers": 2}, start_new_session=True, preexec_fn=hears_ctrl_c)
    workers_of(process)
    time.sleep(wait_s)
    os.killpg(process.pid, signal.SIGINT)
    status, out, err = ended(process)
    assert (status, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted: run it again, finished shards stay"
    until_none_is_left(process.pid)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The two that it has, as soon as they are there."""
    workers: list[psutil.Process] = []
    while len(workers) < 2:
        assert process.poll() is None
        workers = [one for one in psutil.Process(process.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    return workers


@pytest.mark.soak
def test_a_worker_that_is_killed_ends_the_run_with_a_sentence(many: Settings) -> None:
    process = command({**many, "workers": 2})
    workers_of(process)[0].kill()
    status, _, err = ended(process)
    assert status == 1
    assert "FAIL: a worker process died, most often for lack of memory: set fewer workers" in err
    assert ended(command({**many, "workers": 2}), 300)[0] == 0


@pytest.mark.soak
def test_memory_does_not_grow_with_one_huge_document_or_with_what_is_read(many: Settings, sources: Path) -> None:
    with (sources / "huge.jsonl").open("wb") as file:
        file.write(b'{"text": "')
        for _ in range(400):
            file.write(b"word " * 200_000)
    process = command({**many, "max_document_bytes": 1 << 20})
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    assert usage.ru_maxrss < 400 << 10  # KiB, for 400 MB of source


@pytest.mark.soak
def test_a_disk_that_fills_up_on_the_way_is_named_and_the_run_goes_on_when_there_is_room(
    many: Settings, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", disk]).returncode:
        pytest.skip("a small disk takes root, and the right to mount")
    try:
        status, _, err = ended(command({**many, "output": str(disk / "out")}), 300)
        assert status == 1
        assert "No space left on device: make room or give rights, then run it again: finished shards stay" in err
        assert not list((disk / "out").glob(".tmp*"))
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        status, _, err = ended(command({**many, "output": str(disk / "out")}), 300)
        assert status == 0
        assert "good shard(s)" in err
        assert ended(command({**many, "output": str(tmp_path / "whole")}), 300)[0] == 0
        assert files_of(disk / "out") == files_of(tmp_path / "whole")
    finally:
        subprocess.run(["umount", disk], check=True)
