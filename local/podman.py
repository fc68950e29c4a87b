"""podman's commands: the flags that a container needs to boot as a machine, and failures as sentences.

The standard library only: the set-up uses it too.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path
from typing import Any

from local.paths import LocalCloudError

PREFIX = "aidc-"
"""How the name of every container, network and image of ours begins."""
ROOT_LABEL = "ai-datacenter.root"
"""The label that holds the data root of a container or network."""
_LARGEST_NOFILE = 1_048_576  # the kernel's fs.nr_open: more is refused
_LARGEST_NPROC = 32_768  # what podman sets for itself
_TIMEOUT_S = 120.0


class PodmanError(LocalCloudError):
    """podman refused; the message holds its own words."""


def boot_flags() -> list[str]:
    """What lets an init system run inside as on a machine of its own.

    runc, because crun refuses hybrid control groups. A control group namespace of its own, and not podman's own
    preparation for systemd, which would mount the host's systemd hierarchy. The limits stay under the host's, because a
    root without CAP_SYS_RESOURCE may not raise them, and podman's defaults would.
    """
    return [
        "--runtime=runc",
        "--privileged",
        "--cgroupns=private",
        "--systemd=false",
        f"--ulimit=nofile={_limit(resource.RLIMIT_NOFILE, _LARGEST_NOFILE)}",
        f"--ulimit=nproc={_limit(resource.RLIMIT_NPROC, _LARGEST_NPROC)}",
    ]


def _limit(which: int, largest: int) -> str:
    hard = resource.getrlimit(which)[1]
    bound = largest if hard == resource.RLIM_INFINITY else min(hard, largest)
    return f"{bound}:{bound}"


def podman(*arguments: str, timeout_s: float = _TIMEOUT_S, stdin: Path = Path(os.devnull)) -> str:
    """Run podman with the content of a file as its input, and give its output.

    In a session of its own, and not ended when we are: a podman that is killed half way leaves network namespaces and
    addresses that it forgets.

    Raises:
        PodmanError: it is missing, failed, or took longer than ``timeout_s``.
    """
    what = f"podman {' '.join(arguments[:2])}"
    try:
        with stdin.open("rb") as content:
            process = subprocess.Popen(
                ["podman", *arguments], stdin=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                start_new_session=True,
            )  # fmt: skip
        stdout, stderr = process.communicate(timeout=timeout_s)
    except OSError as error:
        raise PodmanError(f"`{what}` cannot be started: {error.strerror}; see `make doctor`.") from None
    except subprocess.TimeoutExpired:
        raise PodmanError(f"`{what}` did not end within {timeout_s:.0f} s; see `podman ps -a`.") from None
    if process.returncode != 0:
        raise PodmanError(f"`{what}` failed: {_reason(stderr)}")
    return stdout


def ask(*arguments: str) -> list[dict[str, Any]]:
    """What podman lists as JSON.

    Raises:
        PodmanError: as `podman`, or what it gives is no JSON.
    """
    answer = podman(*arguments, "--format=json")
    try:
        return json.loads(answer or "[]") or []
    except ValueError:
        raise PodmanError(f"`podman {' '.join(arguments[:2])}` gives no JSON: {answer.strip()[:80]!r}.") from None


def exists(kind: str, name: str) -> bool:
    """Whether there is a ``container``, ``image`` or ``network`` of that name."""
    return (
        subprocess.run(["podman", kind, "exists", name], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    )


def _reason(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip() and "level=warning" not in line]
    return lines[-1].removeprefix("Error: ") if lines else "it gave no reason"
