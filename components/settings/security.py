"""The security section: what an organisation asks of an account, where this stack is to bring it.

Trail and detector are often there already, for a whole organisation: a second trail bills for every event once more,
and a second detector is refused.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from .section import Section

PolicyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$")]


class TrailConfig(Section):
    """A trail of CloudTrail: who called what in all regions of the account, in a bucket of its own."""

    keep_days: int = Field(default=365, ge=90, le=36_500, description="Days that the log's files are kept.")
    data_events: bool = Field(
        default=False,
        description="Also every read and write of an object in the stack's buckets: AWS bills each, and training reads "
        "millions.",
    )


class GuardDutyConfig(Section):
    """The detector of the account's region, of which AWS lets an account have one."""

    audit_logs: bool = Field(default=True, description="Looks into the audit logs of EKS.")
    s3: bool = Field(default=True, description="Looks into reads and writes of objects.")
    runtime: bool = Field(
        default=False, description="Looks into processes: GuardDuty puts an agent on every node, training ones too."
    )


class SecurityConfig(Section):
    """What guards the account beside the stack's own resources."""

    permissions_boundary_arn: PolicyArn | None = Field(
        default=None,
        description="A policy that is there already and bounds what every role of the stack may ever do; absent: none.",
    )
    trail: TrailConfig | None = Field(
        default=None, description="Absent: no trail of this stack's; the account may have another."
    )
    guardduty: GuardDutyConfig | None = Field(
        default=None, description="Absent: no detector of this stack's; the account may have another's, or none."
    )
