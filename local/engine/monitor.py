"""The engine's side of the SDK's seam: what the program's registrations, reads, invokes and messages arrive at.

The SDK calls these methods on threads of its event loop's executor, one call a thread, and a call returns when the
resource is what it should be: the program's own flow of data is the schedule.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from local.engine.calls import ProviderFailure, call
from local.engine.events import Severity
from local.engine.goals import Goal, goal_of, place_of, project_position
from local.engine.providers import default_name
from local.engine.reads import read_goal
from local.engine.resources import Refused, Resources, is_same_entry
from local.engine.run import Run, Stopped
from local.engine.store.model import ResourceState
from local.engine.urns import PROVIDER_PREFIX, STACK_TYPE, is_provider, package_of
from local.engine.values import UNKNOWN, UNKNOWN_TEXT, Secret, Values, from_struct, has_unknown, to_struct

_Feature = resource_pb2.ResourceMonitorFeature
FEATURES = [
    _Feature.Value(f"RESOURCE_MONITOR_FEATURE_{name}")
    for name in ("SECRETS", "RESOURCE_REFERENCES", "OUTPUT_VALUES", "ALIAS_SPECS", "DELETED_WITH", "REPLACE_WITH")
]
_SEVERITIES: dict[int, Severity] = {
    engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error",
}  # fmt: skip


class MonitorError(grpc.RpcError):
    """How a call fails in the SDK's eyes."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        """The gRPC status."""
        return self._code

    def details(self) -> str:
        """The message."""
        return self._details


class Monitor:
    """The resource monitor of one run of the program."""

    def __init__(self, run: Run, resources: Resources, root: Path, config: dict[str, Values]) -> None:
        """``config`` holds the stack's configuration by package, for default providers."""
        self._run = run
        self._resources = resources
        self._root = root
        self._config = config
        self._defaults: dict[str, str] = {}
        self._defaults_lock = threading.Lock()
        self.outputs: Values = {}

    # -- resources ----------------------------------------------------------------------------------------------

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        """Bring one resource to what the program wants; returns when that is done."""
        try:
            self._refuse_unsupported(request)
            goal = self._with_provider(goal_of(request, self._root, self._run.goals.get(request.parent)), request)
            state = self._resources.register(goal)
        except Exception as problem:
            urn = self._run.naming.urn(request.type, request.name, request.parent)
            self._fail(problem, urn, *place_of(request.sourcePosition))
        response = resource_pb2.RegisterResourceResponse(urn=state.urn, id=_shown_id(state))
        if state.custom:
            response.object.CopyFrom(to_struct(state.outputs))
        return response

    def _refuse_unsupported(self, request: resource_pb2.RegisterResourceRequest) -> None:
        refused = {
            "`import_`": request.importId,
            "resource transforms": request.transforms,
            "state migrations": request.state_migrations,
            "remote components": request.remote,
            "parameterized packages": request.packageRef,
            "`replacement_trigger`": request.HasField("replacement_trigger"),
        }
        for what, is_used in refused.items():
            if is_used:
                raise Refused(f"it uses {what}, which the embedded engine does not offer; `--engine cli` does")

    def _with_provider(self, goal: Goal, request: resource_pb2.RegisterResourceRequest) -> Goal:
        fields = {name: getattr(goal, name) for name in Goal.__dataclass_fields__}
        if is_provider(goal.type):
            inputs = dict(goal.inputs)
            if request.version:
                inputs = {**inputs, "version": request.version, "__internal": {}}
            if request.pluginDownloadURL:
                inputs["__internal"] = {"pluginDownloadURL": request.pluginDownloadURL}
            return Goal(**{**fields, "inputs": inputs, "provider": ""})
        if not goal.custom:
            return Goal(**{**fields, "provider": ""}) if not goal.provider else goal
        if goal.provider:
            return goal
        reference = self._default_provider(package_of(goal.type), request.version, request.pluginDownloadURL)
        return Goal(**{**fields, "provider": reference})

    def _default_provider(self, package: str, version: str, download_url: str) -> str:
        """The reference of a package's default provider, which is registered when it is first asked for."""
        name = default_name(version, download_url)
        key = f"{package}::{name}"
        with self._defaults_lock:
            if key not in self._defaults:
                inputs = dict(self._config.get(package, {}))
                if version:
                    inputs |= {"version": version, "__internal": {}}
                if download_url:
                    inputs["__internal"] = {"pluginDownloadURL": download_url}
                goal = Goal(type=f"{PROVIDER_PREFIX}{package}", name=name, custom=True, inputs=inputs)
                self._defaults[key] = self._resources.register(goal).reference
            return self._defaults[key]

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        """Look up a resource that exists outside this program (``Type.get``)."""
        run = self._run
        try:
            provider = request.provider or self._default_provider(
                package_of(request.type), request.version, request.pluginDownloadURL
            )
            file, line = place_of(request.sourcePosition)
            position = project_position(file, line, self._root)
            state = read_goal(run, self._resources, request, provider, position)
        except Exception as problem:
            urn = run.naming.urn(request.type, request.name, request.parent)
            self._fail(problem, urn, *place_of(request.sourcePosition))
        return resource_pb2.ReadResourceResponse(
            urn=state.urn, id=_shown_id(state), properties=to_struct(state.outputs)
        )

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:
        """Take a component's outputs; the stack's are what the program exports."""
        run = self._run
        outputs = from_struct(request.outputs)
        run.keep_secret(outputs)
        with run.lock:
            state = run.news.get(request.urn)
            if state is None:
                return empty_pb2.Empty()
            fields = {name: getattr(state, name) for name in ResourceState.__dataclass_fields__}
            new = ResourceState(**{**fields, "outputs": outputs})
            run.news[request.urn] = new
        if state.type == STACK_TYPE:
            self.outputs = outputs
        if not is_same_entry(state, new):
            run.log.record(put=[new])
        return empty_pb2.Empty()

    # -- functions ----------------------------------------------------------------------------------------------

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        """Call a provider's function; with unknown arguments the result is unknown."""
        args = from_struct(request.args)
        try:
            self._run.guard()
            if request.tok == "pulumi:pulumi:getResource":
                return _invoked(self._resource(args))
            reference = request.provider or self._default_provider(
                package_of(request.tok), request.version, request.pluginDownloadURL
            )
            provider = self._run.providers.find(reference)
            if has_unknown(args) or not provider.is_known:
                return resource_pb2.ResourceInvokeResponse(unknown=True)
            self._run.keep_secret(args)
            asked = provider_pb2.InvokeRequest(tok=request.tok, args=to_struct(args), preview=self._run.is_preview)
            answer = call(provider.servicer.Invoke, asked)
        except ProviderFailure as failure:
            # The SDK raises this where the program called the function: file and line are the traceback's.
            raise MonitorError(grpc.StatusCode.UNKNOWN, self._run.clean(failure.message)) from None
        except Stopped:
            raise _gone() from None
        except Refused as refusal:
            raise MonitorError(grpc.StatusCode.UNKNOWN, str(refusal)) from None
        response = resource_pb2.ResourceInvokeResponse(failures=answer.failures)
        getattr(response, "return").CopyFrom(getattr(answer, "return"))
        return response

    def _resource(self, args: Values) -> Values:
        urn = str(args.get("urn"))
        state = self._run.news.get(urn) or self._run.olds.get(urn)
        if state is None:
            raise Refused(f"there is no resource {urn} to refer to")
        return {"urn": urn, "id": _shown_id(state) or UNKNOWN, "state": dict(state.outputs)}

    def Call(self, request: Any) -> NoReturn:
        """Methods of remote components are not offered."""
        raise MonitorError(grpc.StatusCode.UNIMPLEMENTED, "the embedded engine does not call remote methods")

    # -- the run itself -----------------------------------------------------------------------------------------

    def GetDeploymentInfo(self, _: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:
        """What this engine can do."""
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def SupportsFeature(self, request: resource_pb2.SupportsFeatureRequest) -> resource_pb2.SupportsFeatureResponse:
        """The same, one feature a question, for older SDKs."""
        offered = {"secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith", "replaceWith"}
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in offered)

    def SignalAndWaitForShutdown(self, _: empty_pb2.Empty) -> empty_pb2.Empty:
        """The program is at its end; nothing of it is needed for what follows."""
        return empty_pb2.Empty()

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:
        """A message of the program (``pulumi.log``)."""
        if request.severity in _SEVERITIES:
            self._run.tell(_SEVERITIES[request.severity], request.message, request.urn)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request: Any) -> Any:
        """Any version that a program asks for is taken for granted: there is no CLI here."""
        return engine_pb2.RequirePulumiVersionResponse()

    def __getattr__(self, name: str) -> Any:
        def refuse(_: Any) -> NoReturn:
            raise MonitorError(grpc.StatusCode.UNIMPLEMENTED, f"the embedded engine does not offer {name}")

        if name.startswith("_"):
            raise AttributeError(name)
        return refuse

    def _fail(self, problem: Exception, urn: str, file: str, line: int) -> NoReturn:
        """Tell what went wrong, once, and let the program end."""
        if isinstance(problem, ProviderFailure):
            self._run.tell("error", problem.message, urn, file, line)
        elif isinstance(problem, Refused | ValueError):
            self._run.tell("error", str(problem), urn, file, line)
        elif not isinstance(problem, Stopped):
            self._run.tell("error", f"{type(problem).__name__}: {problem}", urn, file, line)
            self._run.defects.append(problem)
        raise _gone() from problem


def _gone() -> MonitorError:
    return MonitorError(grpc.StatusCode.UNAVAILABLE, "the run has been stopped")


def _shown_id(state: ResourceState) -> str:
    return "" if state.id == UNKNOWN_TEXT else state.id


def _invoked(values: Values) -> resource_pb2.ResourceInvokeResponse:
    response = resource_pb2.ResourceInvokeResponse()
    getattr(response, "return").CopyFrom(to_struct(values))
    return response


def config_by_package(config: dict[str, str], secret_keys: frozenset[str]) -> dict[str, Values]:
    """The stack's configuration as default providers get it: without the package's name, secrets marked."""
    packages: dict[str, Values] = {}
    for key, value in config.items():
        package, _, name = key.partition(":")
        packages.setdefault(package, {})[name] = Secret(value) if key in secret_keys else value
    return packages
