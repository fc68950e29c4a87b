"""GuardDuty for the account's region, which has no detector yet: AWS lets it have one."""

import pulumi

from components.guardduty import GuardDuty
from components.settings import GuardDutyConfig

guard = GuardDuty("guard", GuardDutyConfig(runtime=False))

pulumi.export("detector_id", guard.detector_id)
