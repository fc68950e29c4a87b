"""The controller's role: it binds targets, and could do nothing else if it were taken over."""

from __future__ import annotations

import json

from components.load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs, bind_targets

from .mocks import Cloud, run


def declared() -> Cloud:
    def declare() -> None:
        args = LoadBalancerControllerArgs(
            name="dc", region="us-east-1", cluster_name="dc", target_group_arns=["arn:a", "arn:b"]
        )
        LoadBalancerController("controller", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def test_it_changes_the_targets_of_these_groups_and_describes_without_wildcards() -> None:
    describe, change = bind_targets(["arn:a", "arn:b"])["Statement"]
    assert all(action.split(":")[1].startswith("Describe") for action in describe["Action"])
    assert not any("*" in action for action in (*describe["Action"], *change["Action"]))
    assert change["Resource"] == ["arn:a", "arn:b"]
    (policy,) = declared().of("aws:iam/rolePolicy:RolePolicy").values()
    assert json.loads(policy["policy"]) == bind_targets(["arn:a", "arn:b"])


def test_only_the_controller_s_service_account_has_the_role() -> None:
    cloud = declared()
    (identity,) = cloud.of("aws:eks/podIdentityAssociation:PodIdentityAssociation").values()
    assert (identity["namespace"], identity["serviceAccount"]) == ("kube-system", "aws-load-balancer-controller")
    (role,) = cloud.of("aws:iam/role:Role").values()
    assert identity["roleArn"].endswith("controller-role")
    assert json.loads(role["assumeRolePolicy"])["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
