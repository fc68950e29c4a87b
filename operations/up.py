"""``aidc up``: make what is declared exist, and say whether it works."""

from __future__ import annotations

from local import configuration, control_plane, moto
from local.engine.events import Result
from local.paths import LocalCloudError
from local.provider import ProviderError
from operations import nodes, report, smoke_test, verdicts
from operations.exits import OperationFailed
from operations.outputs import own_clusters
from operations.session import check_configuration, require_local_account, session
from operations.summary import Summary
from operations.workplace import Workplace


def up(place: Workplace) -> None:
    """Realise the stack on this machine.

    Raises:
        OperationFailed: the configuration is wrong, the run failed, or what stands does not work.
    """
    check_configuration(place)
    require_local_account(place, "up")
    with session(place, needs_cloud=True) as opened:
        untold = opened.lost_aws or verdicts.are_lost(place)
        if untold:
            smoke_test.run_again_after_loss(place)
        result = opened.engine.up(refresh=untold or bool(opened.losses))
    verdicts.tell_failed(place, result)
    report.require_success(result, logs=str(place.root.path))
    moto.lost_marker(place.root).unlink(missing_ok=True)
    conclude(place, result)


def conclude(place: Workplace, result: Result) -> None:
    """Say what stands after a run that succeeded, whichever engine's.

    Raises:
        OperationFailed: it does not work.
    """
    _tell_others(place)
    summary = Summary.of(place, result, nodes.nodes(place.root, own_clusters(place)))
    place.give(summary.as_data(), summary.as_text())
    if not summary.passed:
        raise OperationFailed(
            "Everything that is declared exists, but it does not work: see the nodes and the smoke test above."
        )


def _tell_others(place: Workplace) -> None:
    """Tell the machines that are no nodes of what they do not know yet; a sick one is no failure of the nodes."""
    for plane in control_plane.clusters(place.root):
        try:
            configuration.tell_of_nodes(place.root, plane.region, plane.name)
        except (LocalCloudError, ProviderError) as error:
            place.tell(
                f"Warning: the machine that watches the nodes of {plane.name} could not be told which they are "
                f"now, and watches those of before. The next `aidc up` tells it. {error}"
            )
