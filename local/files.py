"""Writing files so that a kill, a power cut or a full disk leaves either the old one or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_LONGEST_NAME = 255  # bytes of a file's name, on every file system of Linux
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}


def write_atomically(path: Path, content: str | bytes, mode: int | None = None, *, replace: bool = True) -> None:
    """Put a file there, whole or not at all: a temporary one beside it, flushed to the disk, then renamed over it.

    A link stays, and leads to what was written. What is there and no regular file, such as /dev/null or a pipe, is
    written into.

    Args:
        mode: of the file; default that of the file that is there, else 0644.
        replace: False: a file that is there is left as it is, and told by FileExistsError.

    Raises:
        OSError: it could not be written; it names ``path``. What was there is as it was, and no temporary file is left.
    """
    data = content.encode() if isinstance(content, str) else content
    with _named(path):
        if is_stream(path):
            _write_into(path, data)
        else:
            _put(Path(os.path.realpath(path)), data, mode, replace)


def is_stream(path: Path) -> bool:
    """Whether what is there would be lost by a file in its place: a device, a pipe, or where stdout goes."""
    try:
        return str(path) in _STREAMS or not (stat.S_ISREG(found := path.stat().st_mode) or stat.S_ISDIR(found))
    except FileNotFoundError:
        return False


def require_room(path: Path) -> None:
    """Find out whether :func:`write_atomically` could put a file there, and leave nothing.

    Raises:
        OSError: it could not; it names ``path``.
    """
    with _named(path):
        target = Path(os.path.realpath(path))
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not is_stream(path):
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=_prefix(target)):
                pass


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """An error of a call on another file, or on none, becomes one of the file that was to be written."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def _put(target: Path, data: bytes, mode: int | None, replace: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_prefix(target), dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _mode(target) if mode is None else mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if replace:
            os.replace(temporary, target)
        else:
            os.link(temporary, target)  # unlike a rename it never takes the place of a file that has come meanwhile
            temporary.unlink()
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(target.parent)


def _prefix(target: Path) -> str:
    """Of the temporary file: the name, by which leftovers of a killed writer are found, where names may be so long."""
    prefix = f".{target.name}."
    return prefix if len(os.fsencode(prefix)) + 8 <= _LONGEST_NAME else ".new-"


def _mode(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return 0o644


def _write_into(path: Path, data: bytes) -> None:
    if str(path) not in _STREAMS:
        with path.open("wb", buffering=0) as opened:
            _write_all(opened.fileno(), data)
        return
    # Not opened by its name: where a shell has sent stdout to a file, that would begin anew, over what is there.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    _write_all(_STREAMS[str(path)], data)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
