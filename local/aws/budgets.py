"""Budgets: moto makes them, but changes none and keeps no tags, so the request is recorded."""

from __future__ import annotations

from typing import Any, cast

from local.aws.cloud import ACCOUNT
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.provider.values import Values

_SUBSCRIBERS = {"subscriberSnsTopicArns": "SNS", "subscriberEmailAddresses": "EMAIL"}


def _request(inputs: Values) -> Values:
    limit = {"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]}
    budget = {"budgetName": inputs["name"], "budgetLimit": limit}
    budget |= {name: inputs[name] for name in ("budgetType", "timeUnit", "costTypes") if name in inputs}
    told = [_notification(one) for one in cast(list[Values], inputs.get("notifications") or [])]
    return {"accountId": ACCOUNT, "budget": budget, "notificationsWithSubscribers": told}


def _notification(one: Values) -> Values:
    subscribers: list[Any] = [
        {"subscriptionType": kind, "address": address}
        for name, kind in _SUBSCRIBERS.items()
        for address in one.get(name) or []
    ]
    return {
        "notification": {name: value for name, value in one.items() if name not in _SUBSCRIBERS},
        "subscribers": subscribers,
    }


def _outputs(call: Call) -> Values:
    name = call.inputs["name"]
    arn = call.cloud.arn("budgets", f"budget/{name}", region="")
    return {"id": f"{ACCOUNT}:{name}", "accountId": ACCOUNT, "arn": arn}


TYPES = (
    recorded_type(
        token="aws:budgets/budget:Budget",
        service="budgets",
        operation="CreateBudget",
        outputs=_outputs,
        values=_request,
        replace_on=("name", "namePrefix", "accountId"),
        tags_member="ResourceTags",
        autoname=("name", 100),
    ),
)
"""Budgets."""
