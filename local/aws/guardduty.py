"""GuardDuty: moto changes no detector's tags and looks into nothing, so the requests are recorded."""

from __future__ import annotations

import hashlib

from local.aws.cloud import ACCOUNT
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.provider.values import Values

_DEFAULT_FREQUENCY = "SIX_HOURS"


def _detector(call: Call) -> Values:
    id = hashlib.sha256(call.urn.encode()).hexdigest()[:32]
    return {"id": id, "arn": call.cloud.arn("guardduty", f"detector/{id}"), "accountId": ACCOUNT}


def _feature(call: Call) -> Values:
    return {"id": f"{call.inputs['detectorId']}/{call.inputs['name']}"}


def _as_update(inputs: Values) -> Values:
    """A feature is a part of its detector, and set by an update of it."""
    feature = {"name": inputs["name"], "status": inputs["status"]}
    if more := inputs.get("additionalConfigurations"):
        feature["additionalConfiguration"] = more
    return {"detectorId": inputs["detectorId"], "features": [feature]}


TYPES = (
    recorded_type(
        token="aws:guardduty/detector:Detector",
        service="guardduty",
        operation="CreateDetector",
        outputs=_detector,
        replace_on=(),
        drop=("datasources",),
        tags_member="Tags",
        defaults={"enable": True, "findingPublishingFrequency": _DEFAULT_FREQUENCY},
    ),
    recorded_type(
        token="aws:guardduty/detectorFeature:DetectorFeature",
        service="guardduty",
        operation="UpdateDetector",
        outputs=_feature,
        values=_as_update,
        replace_on=("detectorId", "name"),
        taggable=False,
    ),
)
"""Detectors and their features."""
