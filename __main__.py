"""The program: reads the configuration, builds the data centre, and exports what the rest of the project may know."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.config import ConfigurationError
from components.config.program import load_program
from components.datacenter import Datacenter, aws_provider

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Declare everything that the configuration asks for, or nothing where it is wrong."""
    stack = pulumi.get_stack()
    try:
        config = load_program(ROOT / f"Pulumi.{stack}.yaml")
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
    provider = aws_provider(config, stack)
    datacenter = Datacenter(config, stack, provider, workloads=ROOT / "workloads", playbooks=ROOT / "playbooks")
    pulumi.export("datacenter", datacenter.outputs())
    pulumi.export("kubeconfig", datacenter.compute.cluster.kubeconfig)


main()
