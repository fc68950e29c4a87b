"""The moto server of one data root: AWS's API on 127.0.0.1, one process that outlives the commands that use it."""

from __future__ import annotations

from local.moto.lifecycle import HOST, MotoServer, ensure, log_file, lost_marker, running, stop

ACCOUNT = "123456789012"
"""The account that moto is, whoever asks."""

__all__ = ["ACCOUNT", "HOST", "MotoServer", "ensure", "log_file", "lost_marker", "running", "stop"]
