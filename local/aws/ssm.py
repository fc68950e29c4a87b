"""Associations of Systems Manager: moto 5.2.5 has none, so the request is kept here, and performed on the machines."""

from __future__ import annotations

import uuid
from dataclasses import replace

from local import associations, configuration
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.provider.values import Values

_PERFORMED = frozenset({"name", "targets", "parameters", "documentVersion"})
"""What a change of runs the association again, as State Manager does."""


def _outputs(call: Call) -> Values:
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, call.urn))
    return {"id": id, "associationId": id, "arn": call.cloud.arn("ssm", f"association/{id}")}


_KEPT = recorded_type(
    token="aws:ssm/association:Association",
    service="ssm",
    operation="CreateAssociation",
    outputs=_outputs,
    replace_on=("name", "automationTargetParameterName"),
    drop=("waitForSuccessTimeoutSeconds",),
    defaults={"applyOnlyAtCronInterval": False, "documentVersion": "$DEFAULT"},
    tags_member="Tags",
)


def _settle(call: Call, changed: frozenset[str]) -> None:
    """Keep what is asked for, then apply it: a failure leaves the association standing, to be applied again."""
    assert _KEPT.settle
    _KEPT.settle(call, changed)
    if changed & _PERFORMED:
        configuration.configure(call.cloud.account.root, associations.association(call.cloud.account.root, call.id))


TYPES = (
    replace(
        _KEPT, settle=_settle, fidelity="realised", on_processes="recorded", settled_on_create=frozenset({"name"})
    ),
)  # fmt: skip
"""Associations."""
