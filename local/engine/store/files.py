"""Writing files so that a kill, a power cut or a full disk leaves either the old one or the new one."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data``: a temporary file beside it, flushed to the disk, then renamed over it.

    Raises:
        OSError: it could not be written; ``path`` is as it was, and the temporary file is gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_folder(path.parent)


def write_once(path: Path, text: str) -> str:
    """Write a file of mode 0600 unless it is there already; what it holds afterwards, whoever wrote it.

    Raises:
        OSError: it could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    sync_folder(path.parent)
    return path.read_text()


def keep_a_copy(path: Path, copy: Path) -> None:
    """Make ``copy`` hold what ``path`` holds now; nothing happens when ``path`` is not there.

    A hard link costs nothing and takes no space, since ``path`` is only ever replaced, never written into.
    """
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        try:
            os.link(path, temporary)
        except FileNotFoundError:
            return
        except OSError:
            shutil.copyfile(path, temporary)
        os.replace(temporary, copy)
    finally:
        # A rename of one link over another of the same file does nothing, and leaves the first.
        temporary.unlink(missing_ok=True)


def remove_unfinished(path: Path) -> None:
    """Remove the temporary files that killed writers of ``path`` left. Nobody else may be writing it."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*"):
        leftover.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
