"""Why machines could not be made ready here: kept in the cache, so that it is said, and not met again at every run."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from setup.host import MACHINES, NODES

RETRY = f"That is tried again after a day, or at once with `{NODES}={MACHINES} make setup`."
_FILE = "machines.setback.json"
_DAY_S = 24 * 3600.0


@dataclass(frozen=True)
class Setback:
    """What stood in the way.

    Attributes:
        reason: one sentence, as the summary of an `up` says it.
        until: seconds since the epoch, before which it is not tried again unasked; 0 for what is cheap to ask again.
    """

    reason: str
    until: float

    def holds(self) -> bool:
        """Whether it is too early to try again. A clock that was set back does not make it longer than a day."""
        return time.time() < self.until <= time.time() + _DAY_S


def remember(cache: Path, reason: str, *, for_a_day: bool) -> None:
    """Keep a reason. A cache that cannot be written is no further trouble: then it is tried again."""
    setback = Setback(reason, time.time() + _DAY_S if for_a_day else 0.0)
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        (cache / _FILE).write_text(json.dumps(asdict(setback)) + "\n")


def recall(cache: Path) -> Setback | None:
    """The last one; None where machines could be made, or nobody tried."""
    try:
        found = json.loads((cache / _FILE).read_text())
        return Setback(str(found["reason"]), float(found["until"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forget(cache: Path) -> None:
    """Machines can be made."""
    with contextlib.suppress(OSError):
        (cache / _FILE).unlink(missing_ok=True)
