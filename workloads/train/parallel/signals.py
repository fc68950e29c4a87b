"""Which signals tell a process to stop: SIGTERM, and SIGINT, which is Ctrl-C. Imports nothing that takes time."""

from __future__ import annotations

import signal


def that_stop() -> list[signal.Signals]:
    """Those; without SIGINT where it is ignored, as shells do for what they run in the background."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return [signal.SIGTERM] if ignored else [signal.SIGTERM, signal.SIGINT]
