"""Where alerts have something to tell."""

from __future__ import annotations

from components.settings.stack import StackConfig

from .replication import replicated_buckets


def tells_from_recovery(config: StackConfig) -> bool:
    """Whether the recovery region has something to tell, which needs a topic there: its vault, and late replicas."""
    copies = config.backup is not None and config.backup.has_copies
    return config.alerts is not None and (copies or bool(replicated_buckets(config)))
