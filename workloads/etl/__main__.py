"""``python -m etl run [CONFIG.json] [--anew]`` and ``python -m etl verify OUTPUT``.

``run`` without a file reads its configuration from the variable ETL_CONFIG, as a pod gets it. Progress goes to stderr,
one line of JSON to stdout. Exit codes: 0 done, 1 it failed or something is damaged, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from etl.config import AGAIN, Failure, parse


def main() -> int:
    """Parse the command line, and answer every failure with a sentence."""
    parser = argparse.ArgumentParser("etl", description="Raw text to checksummed shards of tokens.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="make the shards, or finish or repair them")
    run.add_argument("config", nargs="?", help="a JSON file; without it the variable ETL_CONFIG")
    run.add_argument("--anew", action="store_true", help="delete what another run left in the output")
    verify = commands.add_parser("verify", help="compare every byte with the manifest")
    verify.add_argument("output", help="a folder, or s3://bucket/prefix")
    arguments = parser.parse_args()
    try:
        return _verify(arguments.output) if arguments.command == "verify" else _run(arguments.config, arguments.anew)
    except Failure as failure:
        say(f"FAIL: {failure}")
    except KeyboardInterrupt:
        say("interrupted: run it again, finished shards stay")
        return 130
    except Exception as error:
        say(f"FAIL: {type(error).__name__}: {' '.join(str(error).split())[:300]}: see to it, {AGAIN}")
    return 1


def say(line: str) -> None:
    """A line for whoever watches."""
    print(line, file=sys.stderr, flush=True)


def _run(path: str | None, anew: bool) -> int:
    from etl.pipeline import run
    from etl.report import summary

    config = parse(*_configuration(path))
    began = time.monotonic()
    manifest = run(config, say, anew)
    seconds = time.monotonic() - began
    for line in summary(manifest):
        say(line)
    print(json.dumps({"output": config.output, "seconds": round(seconds, 3), **manifest["statistics"]}))
    return 0


def _configuration(path: str | None) -> tuple[str, str]:
    if path is None:
        if not os.environ.get("ETL_CONFIG"):
            raise Failure("no configuration: name a JSON file, or set ETL_CONFIG")
        return os.environ["ETL_CONFIG"], "ETL_CONFIG"
    try:
        return Path(path).read_text(), path
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Failure(f"cannot read the configuration {path}: {reason}") from None


def _verify(output: str) -> int:
    from etl.store import open_store
    from etl.verify import damages

    found = damages(open_store(output))
    for line in found:
        say(line)
    say(f"{output}: {len(found)} file(s) damaged or missing: `run` makes them again" if found else f"{output}: whole")
    print(json.dumps({"output": output, "damaged": found}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
