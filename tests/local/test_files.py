"""Whoever writes a file loses neither the old one nor the place that it had, whatever comes in between."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import files
from local.files import require_room, write_atomically
from tests.full_disk import full_after


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "folder" / "state.json"
    made.parent.mkdir()
    made.write_text("older")
    return made


def is_as_it_was(file: Path) -> bool:
    return file.read_text() == "older" and list(file.parent.iterdir()) == [file]


def test_a_file_takes_the_place_of_an_older_one_and_folders_are_made(file: Path) -> None:
    for path in (file, file.parent / "deeper" / "still" / "new"):
        write_atomically(path, "newer")
        assert path.read_text() == "newer"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_temporary_one_and_the_error_names_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "write":
        fdopen = os.fdopen

        class Full:
            """A file that takes nothing."""

            def __init__(self, descriptor: int, mode: str) -> None:
                self.file = fdopen(descriptor, mode)

            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                self.file.close()

            write = staticmethod(full)

        monkeypatch.setattr(os, "fdopen", Full)
    else:
        monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left on device") as told:
        write_atomically(file, "newer")
    assert told.value.errno == errno.ENOSPC
    assert told.value.filename == str(file)
    monkeypatch.undo()
    assert is_as_it_was(file)


def test_a_file_that_outgrows_what_is_allowed_leaves_the_old_one(file: Path) -> None:
    with full_after(4096), pytest.raises(OSError, match=r"File too large: .*state\.json"):
        write_atomically(file, "x" * 10_000)
    assert is_as_it_was(file)


def test_content_is_on_the_disk_before_its_name_is_and_the_name_before_anybody_goes_on(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        done.append(Path(f"/proc/self/fd/{descriptor}").readlink().name[:12])
        fsync(descriptor)

    def noted_replace(one: Path, other: Path) -> None:
        done.append("replace")
        replace(one, other)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_atomically(file, "newer")
    assert done == [".state.json.", "replace", "folder"]


def test_a_kill_between_writing_and_renaming_leaves_the_old_file_and_the_next_writer_writes(file: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from local.files import write_atomically
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(Path(sys.argv[1]), "newer")
"""
    killed = subprocess.run([sys.executable, "-c", script, str(file)], check=False)
    assert killed.returncode == -9
    assert file.read_text() == "older"
    write_atomically(file, "newest")
    assert file.read_text() == "newest"


def test_an_interruption_leaves_no_temporary_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, "newer")
    assert is_as_it_was(file)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that takes no file, also of root: it becomes nobody for as long."""
    with tempfile.TemporaryDirectory() as name:
        folder, user = Path(name), os.geteuid()
        (folder / "state.json").write_text("older")
        folder.chmod(0o555)
        if user == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(user)
        folder.chmod(0o755)


@pytest.mark.parametrize("write", [require_room, lambda file: write_atomically(file, "newer")])
def test_a_folder_that_is_read_only_is_told_by_the_files_name(read_only: Path, write: Callable[[Path], None]) -> None:
    file = read_only / "state.json"
    with pytest.raises(PermissionError) as told:
        write(file)
    assert told.value.filename == str(file)
    assert is_as_it_was(file)


def test_a_file_that_is_there_keeps_its_mode_unless_one_is_asked_for(file: Path) -> None:
    file.chmod(0o640)
    write_atomically(file, "newer")
    assert file.stat().st_mode & 0o777 == 0o640
    write_atomically(file, "newer", 0o600)
    assert file.stat().st_mode & 0o777 == 0o600
    write_atomically(file.with_name("other"), "new")
    assert file.with_name("other").stat().st_mode & 0o777 == 0o644


def test_a_file_that_is_not_to_be_replaced_stays(file: Path) -> None:
    with pytest.raises(FileExistsError):
        write_atomically(file, "newer", replace=False)
    assert is_as_it_was(file)
    file.unlink()
    write_atomically(file, "older", replace=False)
    assert is_as_it_was(file)


def test_what_is_written_to_a_link_goes_to_where_it_leads(file: Path) -> None:
    link = file.parent.with_name("link")
    link.symlink_to(file)
    write_atomically(link, "newer")
    assert link.is_symlink()
    assert file.read_text() == "newer"


def test_a_pipe_is_written_into_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        reader = pool.submit(pipe.read_bytes)
        write_atomically(pipe, b"x" * 200_000)
        assert reader.result(30) == b"x" * 200_000
    assert list(tmp_path.iterdir()) == [pipe]
    assert pipe.is_fifo()


def test_a_pipe_that_nobody_reads_is_told_and_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_READER_S", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="nobody reads this pipe"):
        write_atomically(tmp_path / "pipe", "x")


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_new_file_is_for_those_whom_the_umask_leaves(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "new", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o644 & ~mask


def test_a_folder_that_cannot_be_flushed_is_told_while_nothing_has_changed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(files, "_opened", refuse)
    with pytest.raises(PermissionError, match=r"state\.json"):
        write_atomically(file, "newer")
    assert is_as_it_was(file)


def test_where_stdout_is_closed_stderr_is_written_to_all_the_same(tmp_path: Path) -> None:
    script = "import pathlib, local.files as files; files.write_atomically(pathlib.Path('/dev/stderr'), 'x')"
    closed = ["bash", "-c", f'{sys.executable} -c "{script}" >&- 2>{tmp_path}/err']
    subprocess.run(closed, check=True)
    assert (tmp_path / "err").read_text() == "x"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("to_file", [True, False])
def test_stdout_by_its_name_goes_where_stdout_goes_and_what_was_there_stays(
    tmp_path: Path, to_file: bool, name: str
) -> None:
    script = f"""
from pathlib import Path
from local.files import write_atomically
print("before")
write_atomically(Path("{name}"), "text\\n")
print("after")
"""
    out = tmp_path / "out"
    with out.open("wb") as opened:
        told = subprocess.run(
            [sys.executable, "-c", script], check=True, stdout=opened if to_file else subprocess.PIPE, text=True
        )
    assert (out.read_text() if to_file else told.stdout) == "before\ntext\nafter\n"
    assert list(tmp_path.iterdir()) == [out]


def test_a_name_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    for name in ("é" * 127, "x" * 255):
        write_atomically(tmp_path / name, "text")
        require_room(tmp_path / name)
    assert len(list(tmp_path.iterdir())) == 2
