"""Writing files so that a kill, a power cut or a full disk leaves either the old one or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_LONGEST_NAME = 255  # bytes of a file's name, on every file system of Linux
_READER_S = 5.0  # that a pipe may wait for somebody to read it
_PAUSE_S = 0.05


def write_atomically(path: Path, content: str | bytes, mode: int | None = None, *, replace: bool = True) -> None:
    """Put a file there, whole or not at all: a temporary one beside it, flushed to the disk, then renamed over it.

    A link stays, and leads to what was written. What is there and no regular file, such as /dev/null or a pipe, is
    written into.

    Args:
        mode: of the file; default that of the file that is there, else 0644 less the umask.
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
        found = path.stat()
    except FileNotFoundError:
        return False
    is_file = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return not is_file or _standard_stream(found) is not None


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
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
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
    temporary = target.with_name(_prefix(target) + secrets.token_hex(4))
    with _opened(target.parent) as folder:  # first: a folder that cannot be flushed is told while nothing has changed
        try:
            _write_new(temporary, data, _mode(target) if mode is None else mode)
            if replace:
                os.replace(temporary, target)
            else:
                os.link(temporary, target)  # unlike a rename it never takes the place of what has come meanwhile
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        os.fsync(folder)


def _write_new(path: Path, data: bytes, mode: int | None) -> None:
    """Make a file that holds the data, on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o644 if mode is None else 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if mode is not None:
            os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _prefix(target: Path) -> str:
    """Of the temporary file: the name, by which leftovers of a killed writer are found, where names may be so long."""
    prefix = f".{target.name}."
    return prefix if len(os.fsencode(prefix)) + 8 <= _LONGEST_NAME else ".new-"


def _mode(target: Path) -> int | None:
    """That of the file that is there."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _standard_stream(found: os.stat_result) -> int | None:
    """1 or 2, where stdout or stderr goes to this very file, whatever its name."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):  # it may be closed
            if os.path.samestat(found, os.fstat(descriptor)):
                return descriptor
    return None


def _write_into(path: Path, data: bytes) -> None:
    stream = _standard_stream(path.stat())
    if stream is not None:
        # Not opened by its name: where a shell has sent stdout to a file, that would begin anew, over what is there.
        for buffered in (sys.stdout, sys.stderr):
            if buffered is not None:
                buffered.flush()
        _write_all(stream, data)
        return
    descriptor = _open_for_writing(path)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _open_for_writing(path: Path) -> int:
    """A pipe that nobody reads is told after a while, and not waited for for ever."""
    until = time.monotonic() + _READER_S
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, "nobody reads this pipe") from None
            time.sleep(_PAUSE_S)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
