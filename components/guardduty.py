"""GuardDuty's detector, with what it looks into said either way.

AWS switches some of a new detector's features on by itself, and others later: what is not said would change unseen.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from .naming import component_type
from .settings import GuardDutyConfig

_STATUS = {True: "ENABLED", False: "DISABLED"}


class GuardDuty(pulumi.ComponentResource):
    """The detector and its features.

    Attributes:
        config: the section ``security.guardduty`` of the stack file.
        detector_id: the detector.
    """

    detector_id: pulumi.Output[str]

    def __init__(self, name: str, config: GuardDutyConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(GuardDuty), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        detector = aws.guardduty.Detector(
            f"{name}-detector", enable=True, finding_publishing_frequency="FIFTEEN_MINUTES", opts=child
        )
        for feature, enabled in features(config).items():
            # The agent comes as EKS' add-on, which GuardDuty itself keeps up to date.
            agent: Any = [{"name": "EKS_ADDON_MANAGEMENT", "status": _STATUS[enabled]}]
            aws.guardduty.DetectorFeature(
                f"{name}-{feature.lower().replace('_', '-')}",
                detector_id=detector.id,
                name=feature,
                status=_STATUS[enabled],
                additional_configurations=agent if feature == "RUNTIME_MONITORING" else None,
                opts=child,
            )
        self.detector_id = detector.id
        self.register_outputs({"detector_id": self.detector_id})


def features(config: GuardDutyConfig) -> dict[str, bool]:
    """What the detector looks into besides calls, names and connections, by GuardDuty's names."""
    return {"EKS_AUDIT_LOGS": config.audit_logs, "S3_DATA_EVENTS": config.s3, "RUNTIME_MONITORING": config.runtime}
