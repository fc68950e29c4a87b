"""One boundary on every IAM role of the stack, whichever component makes it.

Organisations allow a pipeline to make roles only within a boundary, and a role that lacks it is refused by IAM. So it
is not an argument of each component, which one of them would forget: whatever registers a role passes here.
"""

from __future__ import annotations

import pulumi

_ROLE = "aws:iam/role:Role"


def bound_roles(boundary_arn: str) -> None:
    """Put the boundary on all roles that the program makes from here on; a role's own boundary stays."""

    def bound(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ != _ROLE or args.props.get("permissions_boundary"):
            return None
        return pulumi.ResourceTransformationResult({**args.props, "permissions_boundary": boundary_arn}, args.opts)

    pulumi.runtime.register_stack_transformation(bound)
