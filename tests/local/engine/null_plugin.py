"""The null provider as a plugin that the Pulumi CLI starts: the world is the folder ``$NULL_WORLD``."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from pulumi.runtime.proto.provider_pb2_grpc import add_ResourceProviderServicer_to_server

from tests.local.engine.null_provider import NullProvider, World

if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    add_ResourceProviderServicer_to_server(NullProvider(World(Path(os.environ["NULL_WORLD"]))), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()
