"""What a month may cost, and who is told before it does."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from .settings import BudgetConfig


def create_budget(
    name: str, budget_name: str, config: BudgetConfig, topic_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.budgets.Budget:
    """A monthly budget of the account, which tells the topic at each threshold."""
    told: Any = notifications(config, topic_arn)
    return aws.budgets.Budget(
        name,
        name=budget_name,
        budget_type="COST",
        time_unit="MONTHLY",
        limit_amount=f"{config.monthly_usd}.0",
        limit_unit="USD",
        notifications=told,
        opts=opts,
    )


def notifications(config: BudgetConfig, topic_arn: pulumi.Input[str]) -> list[dict[str, Any]]:
    """One a threshold; forecasts need some weeks of bills before AWS makes them."""
    thresholds = [("ACTUAL", percent) for percent in config.actual_percent]
    thresholds += [("FORECASTED", percent) for percent in config.forecast_percent]
    return [
        {
            "comparison_operator": "GREATER_THAN",
            "notification_type": kind,
            "threshold": percent,
            "threshold_type": "PERCENTAGE",
            "subscriber_sns_topic_arns": [topic_arn],
        }
        for kind, percent in thresholds
    ]
