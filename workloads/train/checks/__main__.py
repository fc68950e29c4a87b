"""``python -m train.checks``: the checks alone, as a table or as JSON. Exit status 0: all well; 1: not, or not known.

It is told the same as a training, by environment variables (:mod:`train.config`), and of none of them needs any: then
it checks this machine alone, and what has neither a floor nor a peer is told and not judged.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping

from train.parallel.signals import that_stop

_WHAT = """\
Check this machine, or all nodes of a job together: is each device well, how fast is
it, which node or link is slow, and how sure is that. Nothing is trained.

Exit status 0: all is well; 1: it is not, or it is not known."""

_TOLD = """\
Environment variables say the rest, as for a training (python -m train --help); none
is needed. ACCELERATOR, JSON, says what the node should have: without it, and without
other nodes to compare with, speeds are told and not judged.

example:
  ACCELERATOR='{"instance_type": "p5.48xlarge", "chips": 8}' python -m train.checks"""


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the checks; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m train.checks",
        description=_WHAT,
        epilog=_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", choices=("text", "json"), default="text", help="a table, or JSON; text if absent")
    parser.add_argument(
        "--verify-node",
        action="store_true",
        help="as a pod: take the taint off the Kubernetes node when all is well, else write on it why not",
    )
    asked = parser.parse_args(arguments)
    from train.checks.alone import check  # JAX takes seconds to import, and whoever asks for help needs none

    return check(environ, output=asked.output, verify_node=asked.verify_node)


def _hear() -> None:
    """From now on what tells the process to stop ends it with a sentence, in native code too and while JAX is imported.

    It is blocked in all threads that follow, and so comes to the one that waits for it.
    """
    told = that_stop()
    signal.pthread_sigmask(signal.SIG_BLOCK, told)
    threading.Thread(target=_end_when_told, args=[told], daemon=True).start()


def _end_when_told(told: list[signal.Signals]) -> None:
    number = signal.Signals(signal.sigwait(told))
    os.write(2, f"checks: FAIL: told to stop ({number.name}): the checks did not come to their end\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":
    _hear()
    # Not sys.exit: at interpreter exit JAX waits minutes for peers that may already be gone.
    os._exit(main(sys.argv[1:]))
