"""What EKS's clusters and node groups share."""

from __future__ import annotations

from local import control_plane
from local.aws.cloud import Cloud
from local.aws.resource_type import Call
from local.aws.shapes import input_of, to_members
from local.aws.tagging import Tagging
from local.provider.values import Values

TAGS = Tagging("eks", "resourceArn", shape=dict)
"""How EKS tags."""


def create_request(
    call: Call, operation: str, leave_out: tuple[str, ...], renames: dict[str, str] | None = None
) -> Values:
    """The members of a create request that the inputs fill as they are, but for those to ``leave_out``."""
    shape = input_of(call.cloud.account.model("eks"), operation)
    values = {key: value for key, value in call.inputs.items() if key not in leave_out}
    return to_members(values, shape, renames, f"eks.{operation}.")


def plane_of(cloud: Cloud, name: str) -> control_plane.ControlPlane | None:
    """The control plane behind the region's cluster of that name; None where there is none on this machine."""
    return next(
        (p for p in control_plane.clusters(cloud.account.root) if (p.region, p.name) == (cloud.region, name)), None
    )
