"""The moto server of one data root: AWS's API over HTTP, one process that outlives the commands that use it."""

from __future__ import annotations

from local.moto.lifecycle import MotoServer, ensure, log_file, lost_marker, running, stop

ACCOUNT = "123456789012"
"""The account that moto is, whoever asks."""

__all__ = ["ACCOUNT", "MotoServer", "ensure", "log_file", "lost_marker", "running", "stop"]
