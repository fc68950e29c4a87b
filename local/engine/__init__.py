"""The embedded engine: runs an unmodified Pulumi program in this process, without the Pulumi CLI.

    project = load_project(checkout, "local")
    store = StateStore(root.state, project.name, project.stack, secrets)
    engine = Engine(project, store, {"aws": AwsProvider, "kubernetes": KubernetesProvider}, PlainDisplay(sys.stderr))
    result = engine.up()
    sys.exit(0 if result.succeeded else 1)

It offers what this project's program needs of ``pulumi preview``, ``up``, ``refresh`` and ``destroy``; what it does
not offer, it refuses in a sentence. The state is the CLI's: either engine goes on where the other stopped.
"""

from local.engine.display import PlainDisplay
from local.engine.engine import Engine
from local.engine.events import (
    CollectingDisplay,
    Diagnostic,
    Display,
    Event,
    OutputsReady,
    PropertyChange,
    ResourceRegistered,
    Result,
    RunFinished,
    RunStarted,
    Step,
    StepFinished,
    StepStarted,
)  # fmt: skip
from local.engine.project import Project, load_project
from local.engine.tree import TreeDisplay

__all__ = [
    "CollectingDisplay", "Diagnostic", "Display", "Engine", "Event", "OutputsReady", "PlainDisplay", "Project",
    "PropertyChange", "ResourceRegistered", "Result", "RunFinished", "RunStarted", "Step", "StepFinished",
    "StepStarted", "TreeDisplay", "load_project",
]  # fmt: skip
