"""The dashboard: each alarm as a graph with its threshold, and beside them what the parts carry."""

from __future__ import annotations

from typing import Any

from .alarms import Alarm, Watched

_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 24  # of CloudWatch's grid, 24 columns wide


def dashboard(region: str, alarms: list[Alarm], watched: Watched[str]) -> dict[str, Any]:
    """A dashboard's body (CloudWatch API reference, "Dashboard body structure and syntax")."""
    graphs = [*_load(watched), *(_graph(alarm) for alarm in alarms)]
    a_row = _COLUMNS // _WIDTH
    return {
        "widgets": [
            {
                "type": "metric",
                "x": (index % a_row) * _WIDTH,
                "y": (index // a_row) * _HEIGHT,
                "width": _WIDTH,
                "height": _HEIGHT,
                "properties": {"region": region, "view": "timeSeries", "stacked": False, **graph},
            }
            for index, graph in enumerate(graphs)
        ]
    }


def _graph(alarm: Alarm) -> dict[str, Any]:
    line = {"label": "alarm", "value": alarm.threshold}
    return {
        "title": alarm.name,
        "metrics": [_metric(alarm.namespace, alarm.metric, dict(alarm.dimensions))],
        "stat": alarm.statistic,
        "period": alarm.period_s,
        "annotations": {"horizontal": [line]},
        **({"region": alarm.region} if alarm.region else {}),
    }


def _load(watched: Watched[str]) -> list[dict[str, Any]]:
    """What goes through gateways and file systems, bytes a minute."""
    gateways = [("NatGatewayId", gateway, None) for gateway in watched.nat_gateways]
    lustre = [("FileSystemId", id, name) for name, id in watched.lustre.items()]
    efs = [("FileSystemId", id, name) for name, id in watched.efs.items()]
    carried = (
        ("NAT gateways", "AWS/NATGateway", ("BytesOutToDestination", "BytesInFromDestination"), gateways),
        ("Lustre", "AWS/FSx", ("DataReadBytes", "DataWriteBytes"), lustre),
        ("EFS", "AWS/EFS", ("DataReadIOBytes", "DataWriteIOBytes"), efs),
    )
    return [
        {
            "title": f"{title}: bytes a minute",
            "metrics": [
                _metric(namespace, metric, {dimension: id}, f"{name or id} {metric}")
                for dimension, id, name in parts
                for metric in metrics
            ],
            "stat": "Sum",
            "period": 60,
        }
        for title, namespace, metrics, parts in carried
        if parts
    ]


def _metric(namespace: str, metric: str, dimensions: dict[str, str], label: str | None = None) -> list[Any]:
    named = [part for dimension in dimensions.items() for part in dimension]
    return [namespace, metric, *named, *([{"label": label}] if label else [])]
