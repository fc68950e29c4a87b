"""What can be wrong with a state, each with what, where, why and what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from local.paths import LocalCloudError


class StateError(LocalCloudError):
    """The state cannot be used; nothing of it was changed."""


class StateLocked(StateError):
    """Somebody else is at work on the stack."""


class StateDamaged(StateError):
    """A file of the state is not what it should be."""


class StateUnwritable(StateError):
    """The state cannot be written: the disk is full, or the folder is read-only. What was written stays."""


class PassphraseError(StateError):
    """The passphrase is missing, or is not the one that the secrets were encrypted with."""


def unwritable(path: Path, problem: OSError, *, kept: str) -> StateUnwritable:
    """Say in one sentence why ``path`` could not be written; ``kept`` says where everything still is."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        why, remedy = "there is no space left on its disk", "Free some space"
    elif problem.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        why, remedy = "its folder cannot be written to", f"Make {path.parent} writable for you"
    else:
        why, remedy = str(problem.strerror or problem), "Mend that"
    return StateUnwritable(f"{path} could not be written: {why}. {kept} {remedy} and run the command again.")
