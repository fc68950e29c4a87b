"""``python -m local.node_agent --cluster-dir … --name …``: one node, until it is told to stop."""

from __future__ import annotations

import argparse
from pathlib import Path

from local.kube_api import Credentials
from local.node_agent.agent import Agent
from local.node_spec import NodeSpec


def main() -> None:
    """Read the node's specification from its folder and serve."""
    parser = argparse.ArgumentParser(prog="local.node_agent", description=__doc__)
    parser.add_argument("--cluster-dir", type=Path, required=True, help="the cluster's folder")
    parser.add_argument("--name", required=True, help="the node's name: nodes/<name>/ has its specification")
    parser.add_argument("--endpoint", required=True, help="the API server's address")
    chosen = parser.parse_args()
    folder = chosen.cluster_dir / "nodes" / chosen.name
    certs = folder / "certs"
    ca = chosen.cluster_dir / "certs" / "ca.crt"
    credentials = Credentials(chosen.endpoint, ca, certs / "node.crt", certs / "node.key")
    Agent(NodeSpec.read(folder), folder, credentials).serve()


if __name__ == "__main__":
    main()
