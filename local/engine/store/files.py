"""Files of the state beside those that are replaced: what is made once, the copy from before, what killed runs left."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from pathlib import Path

from local.files import write_atomically


def write_once(path: Path, text: str) -> str:
    """Write a file of mode 0600 unless it is there already; what it holds afterwards, whoever wrote it.

    Raises:
        OSError: it could not be written.
    """
    with contextlib.suppress(FileExistsError):
        write_atomically(path, text, 0o600, replace=False)
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
