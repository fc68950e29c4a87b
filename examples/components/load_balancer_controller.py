"""What the AWS Load Balancer Controller needs to fill a target group that somebody else made."""

import pulumi

from components.load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs

REGION = pulumi.Config("aws").require("region")

controller = LoadBalancerController(
    "controller",
    LoadBalancerControllerArgs(
        name="research",
        region=REGION,
        cluster_name="research",  # yours
        target_group_arns=[
            f"arn:aws:elasticloadbalancing:{REGION}:111122223333:targetgroup/llm/73e2d6bc24d8a067",
        ],
    ),
)

pulumi.export("role_arn", controller.role_arn)
