"""The alerts section: who is told what CloudWatch, EventBridge and the bill have to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from .section import Conflict, Section, rule_of

Email = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=254)
]
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/\S*)?$", max_length=2000)]
Percent = Annotated[int, Field(ge=1, le=1000)]


class BudgetConfig(Section):
    """What a month may cost. AWS keeps a budget for the whole account, with all that is in it."""

    monthly_usd: int = Field(ge=1, le=10**9, description="US dollars a month.")
    actual_percent: tuple[Percent, ...] = Field(
        default=(80, 100), strict=False, max_length=4, description="Tells when so much of it is spent, %."
    )
    forecast_percent: tuple[Percent, ...] = Field(
        default=(100,), strict=False, max_length=4, description="Tells when AWS foresees so much of it at its end, %."
    )


class AlertsConfig(Section):
    """One topic for everything that people should know: alarms, events of AWS's own, failed backups, the bill.

    Nothing tells a topic of another region: the recovery region has one too, where buckets or backups are copied to it.
    """

    emails: tuple[Email, ...] = Field(
        default=(),
        strict=False,
        max_length=20,
        description="Addresses; each confirms its subscription to each topic by a link.",
    )
    https: tuple[HttpsUrl, ...] = Field(
        default=(),
        strict=False,
        max_length=20,
        description="Endpoints of an on-call service, which confirm themselves.",
    )
    lustre_free_percent: int = Field(
        default=15, ge=1, le=99, description="Tells when a Lustre file system has less of its capacity free, %."
    )
    errors_5xx: int = Field(
        default=10, ge=1, le=10**6, description="Tells when a load balancer's 5xx answers in 5 minutes are more."
    )
    dashboard: bool = Field(default=True, description="A CloudWatch dashboard of what the alarms look at.")
    budget: BudgetConfig | None = Field(default=None, description="Absent: nobody is told of costs.")


@rule_of(AlertsConfig)
def _somebody_hears(alerts: AlertsConfig) -> Iterator[Conflict]:
    if not alerts.emails and not alerts.https:
        message = "nobody would hear of an alert: name emails or https endpoints, or leave the section out"
        yield Conflict(key=(), message=message)


@rule_of(AlertsConfig)
def _once(alerts: AlertsConfig) -> Iterator[Conflict]:
    for field in ("emails", "https"):
        listed = getattr(alerts, field)
        for index, one in enumerate(listed):
            if one in listed[:index]:
                yield Conflict(key=(field, index), message=f"{one} stands here a second time")


@rule_of(BudgetConfig)
def _budget_that_tells(budget: BudgetConfig) -> Iterator[Conflict]:
    if not budget.actual_percent and not budget.forecast_percent:
        message = "a budget without thresholds tells nobody anything: leave it out, or name one"
        yield Conflict(key=(), message=message)
    for field in ("actual_percent", "forecast_percent"):
        listed = getattr(budget, field)
        for index, one in enumerate(listed):
            if one in listed[:index]:
                yield Conflict(key=(field, index), message=f"{one} stands here a second time")
