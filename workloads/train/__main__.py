"""``python -m train``; ``--config 124m`` is ``TRAIN_CONFIG='{"preset": "124m"}'``, and TRAIN_CONFIG goes on top."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Mapping
from types import FrameType

from train.config.settings import PRESETS
from train.parallel.signals import that_stop

_WHAT = """\
Train a model, and say whether these nodes can: progress on stderr, the verdict as one
line of JSON on stdout.

Exit status 0: passed; 1: failed, with the reason in the verdict."""

_TOLD = """\
The environment variable TRAIN_CONFIG, a JSON object, says the rest: steps, batch_size,
checkpoint_uri, verdict_uri and more. Every field has a default; a name that is none is
answered with those there are. A preset in it is taken instead of --config.

example:
  TRAIN_CONFIG='{"steps": 200, "checkpoint_uri": "/tmp/run"}' python -m train --config 124m"""


def with_preset(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """The environment with this preset, where TRAIN_CONFIG is an object that names none itself."""
    text = environ.get("TRAIN_CONFIG", "").strip() or "{}"
    try:
        given = json.loads(text)
    except ValueError:
        return dict(environ)  # what is wrong with it is said where it is read
    return (
        {**environ, "TRAIN_CONFIG": json.dumps({"preset": name, **given})} if isinstance(given, dict) else {**environ}
    )


def run() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description=_WHAT,
        epilog=_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = "size of the model; small if absent. A preset in TRAIN_CONFIG is taken instead"
    parser.add_argument("--config", choices=tuple(PRESETS), default="small", help=size)
    environ = with_preset(os.environ, parser.parse_args().config)
    # The first process of a container has no default action for them, and JAX takes seconds to import.
    for each in that_stop():
        signal.signal(each, _end)
    from train.main.smoke_test import main

    return main(environ)


def _end(number: int, frame: FrameType | None) -> None:
    told = signal.Signals(number).name
    os.write(2, f"train: FAIL: told to stop ({told}) while starting: nothing was done\n".encode())
    os._exit(1)


if __name__ == "__main__":
    # Not sys.exit: at interpreter exit JAX waits minutes for peers that may already be gone.
    os._exit(run())
