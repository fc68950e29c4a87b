"""A provider as a process of its own, as the Pulumi CLI starts it."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.provider.servicer import LocalProvider

_THREADS = 64
_MESSAGE_BYTES = 400 * 1024 * 1024
"""The limit of the SDK's own channels (``_grpc_settings``)."""


def serve(provider: LocalProvider) -> None:
    """Serve on 127.0.0.1, print the port on stdout, and stay until SIGTERM or SIGINT."""
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, thread_name_prefix=f"{provider.name}-provider"),
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def stop(number: int, frame: Any) -> None:
        server.stop(grace=2)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
