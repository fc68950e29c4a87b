"""Pulumi's ResourceProvider protocol, in terms of plain values."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from local.paths import LocalCloudError
from local.provider.errors import CheckFailed, InitFailed, ProviderError, init_failed_status
from local.provider.paths import Changes, compare
from local.provider.requests import Check, Create, Delete, Diff, Found, Made, Read, Update
from local.provider.values import Values, conceal, from_struct, reveal, to_struct

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class LocalProvider(ResourceProviderServicer):
    """A provider's protocol side; subclasses answer the lower-case methods with plain values.

    Calls arrive on many threads at once. Errors leave through ``context.abort`` and ``context.abort_with_status``
    only, so that a gRPC server and the embedded engine see the same. Whatever was secret in a request is secret in
    its answer.
    """

    name = "local"
    version = ""

    # -- what a provider answers --------------------------------------------------------------------------------

    def check_config(self, inputs: Values) -> Values:
        """The provider's own inputs, validated. Raises CheckFailed."""
        return inputs

    def diff_config(self, old: Values, new: Values) -> Changes:
        """What changed in the provider's own inputs; none of it replaces the provider's resources by default."""
        return Changes(compare(old, new))

    def configure(self, config: Values) -> None:
        """Take the checked configuration; called once before anything but checks. Values may be UNKNOWN."""

    def check(self, request: Check) -> Values:
        """The inputs with their defaults. Raises CheckFailed."""
        return request.inputs

    def diff(self, request: Diff) -> Changes:
        """What changed, by property."""
        raise NotImplementedError

    def create(self, request: Create) -> Made:
        """Make it, or adopt what an interrupted run made. Raises ProviderError, InitFailed."""
        raise NotImplementedError

    def read(self, request: Read) -> Found | None:
        """Look it up; None where it is gone."""
        raise NotImplementedError

    def update(self, request: Update) -> Mapping[str, Any]:
        """Change what differs, and only that; the new outputs."""
        raise NotImplementedError

    def delete(self, request: Delete) -> None:
        """Remove it; nothing to do where it is gone."""
        raise NotImplementedError

    def invoke(self, token: str, args: Values, preview: bool) -> Mapping[str, Any]:
        """Answer a function of the provider. Raises ProviderError, CheckFailed."""
        raise ProviderError(f"{token} is not among the functions that the local {self.name} provider answers")

    def cancel(self) -> None:
        """The user wants running operations to stop soon."""

    def fidelity_of(self, type_token: str) -> str:
        """``realised``, ``emulated`` or ``recorded``: how real the type is on one machine."""
        raise NotImplementedError

    # -- the protocol -------------------------------------------------------------------------------------------

    def Handshake(self, request: provider_pb2.ProviderHandshakeRequest, context: Any) -> Any:
        """What this provider understands: secrets, not resource references and not output values."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The provider's version."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """A schema without types: programs use the official SDK's."""
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self.name, "version": self.version}))

    def Attach(self, request: Any, context: Any) -> Any:
        """The engine's address is not needed."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Ask running operations to stop."""
        self._guard(context, "cancelling", self.cancel)
        return empty_pb2.Empty()

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> Any:
        """Validate the provider's own inputs."""
        marked = from_struct(request.news)
        return self._checked(context, "checking its configuration", marked, lambda: self.check_config(reveal(marked)))

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> Any:
        """Compare the provider's own inputs."""
        old, new = reveal(from_struct(request.old_inputs)), reveal(from_struct(request.news))
        changes = self._guard(context, "comparing its configuration", lambda: self.diff_config(old, new))
        return changes.to_response()

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> Any:
        """Take the provider's configuration."""
        config = decode_config(reveal(from_struct(request.args)) or dict(request.variables))
        self._guard(context, "configuring", lambda: self.configure(config))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> Any:
        """Validate a resource's inputs and fill in their defaults."""
        marked = from_struct(request.news)
        urn = request.urn
        asked = Check(
            urn, type_of(urn), name_of(urn), reveal(marked), reveal(from_struct(request.olds)), request.randomSeed
        )
        return self._checked(context, f"checking {urn}", marked, lambda: self.check(asked))

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> Any:
        """Compare old and new inputs."""
        urn = request.urn
        asked = Diff(
            urn, type_of(urn), name_of(urn), request.id, reveal(from_struct(request.old_inputs)),
            reveal(from_struct(request.olds)), reveal(from_struct(request.news)), tuple(request.ignoreChanges),
        )  # fmt: skip
        return self._guard(context, f"comparing {urn}", lambda: self.diff(asked)).to_response()

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> Any:
        """Make a resource."""
        urn, marked = request.urn, from_struct(request.properties)
        asked = Create(urn, type_of(urn), name_of(urn), reveal(marked), request.preview, request.timeout)
        made = self._guard(context, f"creating {urn}", lambda: self.create(asked), marked)
        return provider_pb2.CreateResponse(id=made.id, properties=to_struct(conceal(dict(made.outputs), marked)))

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> Any:
        """Look a resource up; an empty id says that it is gone."""
        urn, inputs, outputs = request.urn, from_struct(request.inputs), from_struct(request.properties)
        asked = Read(urn, type_of(urn), name_of(urn), request.id, reveal(inputs), reveal(outputs))
        found = self._guard(context, f"reading {urn}", lambda: self.read(asked), inputs, outputs)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.id,
            properties=to_struct(conceal(dict(found.outputs), inputs, outputs)),
            inputs=to_struct(conceal(dict(found.inputs), inputs, outputs)),
        )

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> Any:
        """Change a resource in place."""
        urn, marked, old_inputs = request.urn, from_struct(request.news), from_struct(request.old_inputs)
        asked = Update(
            urn, type_of(urn), name_of(urn), request.id, reveal(old_inputs), reveal(from_struct(request.olds)),
            reveal(marked), request.preview, request.timeout, tuple(request.ignoreChanges),
        )  # fmt: skip
        outputs = self._guard(context, f"updating {urn}", lambda: self.update(asked), marked)
        return provider_pb2.UpdateResponse(properties=to_struct(conceal(dict(outputs), marked)))

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> Any:
        """Remove a resource."""
        urn = request.urn
        asked = Delete(
            urn, type_of(urn), name_of(urn), request.id, reveal(from_struct(request.old_inputs)),
            reveal(from_struct(request.properties)), request.timeout,
        )  # fmt: skip
        self._guard(context, f"deleting {urn}", lambda: self.delete(asked))
        return empty_pb2.Empty()

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> Any:
        """Answer a function."""
        marked = from_struct(request.args)

        def ask() -> provider_pb2.InvokeResponse:
            try:
                answer = self.invoke(request.tok, reveal(marked), request.preview)
            except CheckFailed as failed:
                return provider_pb2.InvokeResponse(failures=_failures(failed))
            return _invoke_response(conceal(dict(answer), marked))

        return self._guard(context, f"calling {request.tok}", ask)

    # -- errors -------------------------------------------------------------------------------------------------

    def _checked(self, context: Any, doing: str, marked: Values, ask: Callable[[], Values]) -> Any:
        def guarded() -> provider_pb2.CheckResponse:
            try:
                return provider_pb2.CheckResponse(inputs=to_struct(conceal(ask(), marked)))
            except CheckFailed as failed:
                return provider_pb2.CheckResponse(failures=_failures(failed))

        return self._guard(context, doing, guarded)

    def _guard(self, context: Any, doing: str, ask: Callable[[], _Answer], *secrets_of: Any) -> _Answer:
        """The answer of ``ask``; what it raises leaves through ``context`` as a sentence, never as a traceback."""
        try:
            return ask()
        except InitFailed as failed:
            failure = init_failed_status(failed, conceal(failed.properties, *secrets_of))
        except (ProviderError, LocalCloudError) as failed:
            failure = str(failed)
        except NotImplementedError:
            _abort(context, grpc.StatusCode.UNIMPLEMENTED, f"the local {self.name} provider does not offer {doing}")
        except Exception as failed:
            _log.debug("%s", traceback.format_exc())
            where = traceback.extract_tb(failed.__traceback__)[-1]
            failure = (
                f"a defect of the local {self.name} provider while {doing}: {type(failed).__name__}: {failed} "
                f"({where.name}, {where.filename}:{where.lineno})"
            )
        if isinstance(failure, str):
            _abort(context, grpc.StatusCode.UNKNOWN, failure)
        context.abort_with_status(failure)
        raise AssertionError("abort_with_status returned")


def type_of(urn: str) -> str:
    """The type token in a URN: the last of the ``$``-joined types in its third part."""
    return urn.split("::", 3)[2].rsplit("$", 1)[-1]


def name_of(urn: str) -> str:
    """The resource's name in a URN."""
    return urn.split("::", 3)[3]


def decode_config(config: Mapping[str, Any]) -> Values:
    """Provider inputs with nested values, booleans and lists out of the JSON text that the protocol wraps them in."""
    return {key: _decode(value) for key, value in config.items()}


def _decode(value: Any) -> Any:
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _failures(failed: CheckFailed) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=one.property, reason=one.reason) for one in failed.failures]


def _invoke_response(answer: Mapping[str, Any]) -> provider_pb2.InvokeResponse:
    response = provider_pb2.InvokeResponse()
    getattr(response, "return").CopyFrom(to_struct(answer))
    return response


def _abort(context: Any, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort returned")
