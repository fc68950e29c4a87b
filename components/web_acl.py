"""AWS WAF before an application load balancer: rules that AWS keeps up to date."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

# In the order in which they are asked (WAF guide, "AWS Managed Rules rule groups list"), cheap ones first. The rule on
# the size of bodies only counts: it blocks what is larger than 8 KB, and prompts are.
MANAGED_RULES: dict[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",),
}


def create_web_acl(
    name: str, acl_name: str, load_balancer_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """The web ACL ``acl_name`` with :data:`MANAGED_RULES`, before the load balancer."""
    acl = aws.wafv2.WebAcl(
        f"{name}-web-acl",
        name=acl_name,
        scope="REGIONAL",
        default_action={"allow": {}},
        rules=[_rule(priority, group, counted) for priority, (group, counted) in enumerate(MANAGED_RULES.items())],  # pyright: ignore[reportArgumentType]  # plain values, built and tested as such
        visibility_config=_visibility(acl_name),  # pyright: ignore[reportArgumentType]
        opts=opts,
    )
    aws.wafv2.WebAclAssociation(
        f"{name}-web-acl-association", resource_arn=load_balancer_arn, web_acl_arn=acl.arn, opts=opts
    )


def _rule(priority: int, group: str, counted: tuple[str, ...]) -> dict[str, Any]:
    overrides: list[dict[str, Any]] = [{"name": one, "action_to_use": {"count": {}}} for one in counted]
    statement: dict[str, Any] = {"vendor_name": "AWS", "name": group}
    return {
        "name": group,
        "priority": priority,
        "override_action": {"none": {}},
        "statement": {
            "managed_rule_group_statement": {**statement, **({"rule_action_overrides": overrides} if overrides else {})}
        },
        "visibility_config": _visibility(group),
    }


def _visibility(metric: str) -> dict[str, Any]:
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": True}
