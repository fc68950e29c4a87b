"""What alerts need to reach somebody."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.section import Conflict
from components.settings.stack import StackConfig

from .replication import replicated_buckets


def tells_from_recovery(config: StackConfig) -> bool:
    """Whether the recovery region has something to tell, which needs a topic there: its vault, and late replicas."""
    copies = config.backup is not None and config.backup.has_copies
    return config.alerts is not None and (copies or bool(replicated_buckets(config)))


def _somebody_hears(config: StackConfig) -> Iterator[Conflict]:
    if config.alerts and not config.alerts.emails and not config.alerts.https:
        message = "nobody would hear of an alert: name emails or https endpoints, or leave the section out"
        yield Conflict(key=("alerts",), message=message)


def _once(config: StackConfig) -> Iterator[Conflict]:
    for field in ("emails", "https") if config.alerts else ():
        listed = getattr(config.alerts, field)
        for index, one in enumerate(listed):
            if one in listed[:index]:
                yield Conflict(key=("alerts", field, index), message=f"{one} stands here a second time")


def _budget_that_tells(config: StackConfig) -> Iterator[Conflict]:
    budget = config.alerts.budget if config.alerts else None
    if budget is None:
        return
    if not budget.actual_percent and not budget.forecast_percent:
        message = "a budget without thresholds tells nobody anything: leave it out, or name one"
        yield Conflict(key=("alerts", "budget"), message=message)
    for field in ("actual_percent", "forecast_percent"):
        listed = getattr(budget, field)
        for index, one in enumerate(listed):
            if one in listed[:index]:
                yield Conflict(key=("alerts", "budget", field, index), message=f"{one} stands here a second time")


RULES = (_somebody_hears, _once, _budget_that_tells)
