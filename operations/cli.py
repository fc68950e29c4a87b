"""The command line: verbs, options, and how a failure becomes an exit status. What a verb does is in its module."""

from __future__ import annotations

import io
import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from local.paths import LocalCloudError
from operations.exits import Ended, Exit, OperationFailed
from operations.sizing.model import Precision
from operations.workplace import Output, workplace

app = typer.Typer(
    name="aidc",
    help="Declare, realise and prove a data centre. Data goes to stdout, progress to stderr.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class EngineName(StrEnum):
    """Who does the work."""

    EMBEDDED = "embedded"
    CLI = "cli"


Stack = Annotated[str, typer.Option("--stack", "-s", help="The stack: Pulumi.<stack>.yaml.")]
Form = Annotated[Output, typer.Option("--output", "-o", help="The form of the data on stdout.")]
Engine = Annotated[EngineName, typer.Option("--engine", help="The embedded engine, or the Pulumi CLI on PATH.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 2 when something would change.")]

StackOfAccount = Annotated[str, typer.Option("--stack", "-s", help="The stack: Pulumi.<stack>.yaml, for its account.")]
BucketOption = Annotated[str | None, typer.Option("--bucket", help="The bucket's name; default from name and account.")]
StateRegion = Annotated[str | None, typer.Option("--region", help="Where the state is; default the stack's region.")]

Limit = Annotated[list[str] | None, typer.Option("--limit", "-l", help="Only this host; may be given again.")]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; tell what would change.")]
InventoryOption = Annotated[
    Path | None, typer.Option("--inventory", "-i", help="Machines of your own: see docs/inventory.example.yaml.")
]

ReportFile = Annotated[
    Path | None, typer.Option("--report", help="Write the verdict with its curves into this HTML file.")
]
VerdictFile = Annotated[
    Path | None, typer.Option("--verdict", help="Run nothing: show the verdict.json that a job stored, from this file.")
]

# What `aidc size` is asked, as text: quantities.py says where one is wrong.
Parameters = Annotated[str | None, typer.Option("--parameters", help="Parameters of the model, such as 70B.")]
Tokens = Annotated[str | None, typer.Option("--tokens", help="Tokens to train on, such as 2T; default 20 a parameter.")]
Sequence = Annotated[str | None, typer.Option("--sequence", help="Tokens in a sequence; default 8192.")]
Batch = Annotated[str | None, typer.Option("--batch", help="Tokens in a step; default 4M, from 100B on 16M.")]
Layers = Annotated[str | None, typer.Option("--layers", help="Layers, where the rule for them is not right.")]
Width = Annotated[str | None, typer.Option("--width", help="Width of the model, likewise.")]
PrecisionOption = Annotated[Precision, typer.Option("--precision", help="Of the matrix multiplications.")]
Deadline = Annotated[str | None, typer.Option("--deadline", help="The longest it may take, such as 30d.")]
Budget = Annotated[str | None, typer.Option("--budget", help="What the machines may cost, such as '$2M'.")]
Mfu = Annotated[str | None, typer.Option("--mfu", help="Utilisation to count with instead of the measured, as 40%.")]
Rate = Annotated[str | None, typer.Option("--checkpoint-rate", help="What a machine writes; default 1GB/s.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only this instance type; may be given again.")]
Write = Annotated[Path | None, typer.Option("--write", help="Write this Pulumi.<stack>.yaml from an option.")]
Chosen = Annotated[int | None, typer.Option("--option", min=1, help="The option that is written; default the first.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="Its region; default us-east-1 where it sells it.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]
CheckRuns = Annotated[bool, typer.Option("--check", help="Only compare the formulas with published training runs.")]


@app.command("up")
def up_command(stack: Stack = "local", output: Form = Output.TEXT, engine: Engine = EngineName.EMBEDDED) -> None:
    """Realise the stack on this machine, run its smoke test, and say whether it works."""
    from operations import pulumi_cli, up

    with workplace(stack, output) as place:
        if engine is EngineName.CLI:
            pulumi_cli.run(place, "up")
        else:
            up.up(place)


@app.command("preview")
def preview_command(
    stack: Stack = "local",
    output: Form = Output.TEXT,
    exit_code: ExitCode = False,
    engine: Engine = EngineName.EMBEDDED,
) -> None:
    """Show what `up` would do; any stack, no credentials."""
    from operations import preview, pulumi_cli

    with workplace(stack, output) as place:
        if engine is EngineName.CLI:
            pulumi_cli.run(place, "preview")
        else:
            raise Ended(preview.preview(place, exit_code=exit_code))


@app.command("refresh")
def refresh_command(stack: Stack = "local", output: Form = Output.TEXT) -> None:
    """Look at what really is; exit 5 when it is not what the state says."""
    from operations.refresh import refresh

    with workplace(stack, output) as place:
        raise Ended(refresh(place))


@app.command("destroy")
def destroy_command(stack: Stack = "local", output: Form = Output.TEXT) -> None:
    """Delete every resource of the stack."""
    from operations.destroy import destroy

    with workplace(stack, output) as place:
        destroy(place)


@app.command("bootstrap")
def bootstrap_command(
    stack: StackOfAccount,
    bucket: BucketOption = None,
    region: StateRegion = None,
    output: Form = Output.TEXT,
) -> None:
    """Make the state's bucket and key in the stack's account, and print what Pulumi is to be told."""
    from operations.bootstrap import bootstrap

    with workplace(stack, output) as place:
        bootstrap(place, bucket=bucket, region=region)


@app.command("converge")
def converge_command(
    stack: Stack = "local",
    output: Form = Output.TEXT,
    limit: Limit = None,
    check: Check = False,
    inventory: InventoryOption = None,
) -> None:
    """Configure the stack's machines, or those of an inventory file, with the playbooks."""
    from operations.converge import converge

    with workplace(stack, output) as place:
        converge(place, limit=tuple(limit or ()), check=check, inventory=inventory)


@app.command("smoke-test")
def smoke_test_command(
    stack: Stack = "local", output: Form = Output.TEXT, report: ReportFile = None, verdict: VerdictFile = None
) -> None:
    """Run the training job again and print its verdict; its report too, where a file is named."""
    from operations import smoke_test

    with workplace(stack, output) as place:
        if verdict:
            smoke_test.show_stored(place, verdict, report)
        else:
            smoke_test.smoke_test(place, report)


@app.command("size")
def size_command(
    parameters: Parameters = None,
    tokens: Tokens = None,
    sequence: Sequence = None,
    batch: Batch = None,
    precision: PrecisionOption = Precision.BF16,
    deadline: Deadline = None,
    budget: Budget = None,
    layers: Layers = None,
    width: Width = None,
    mfu: Mfu = None,
    checkpoint_rate: Rate = None,
    types: Types = None,
    write: Write = None,
    option: Chosen = None,
    region: RegionOption = None,
    force: Force = False,
    check: CheckRuns = False,
    output: Form = Output.TEXT,
) -> None:
    """From a model and its tokens to a plan: machines, time, price, checkpoints; several options side by side."""
    from operations import size

    with workplace("local", output) as place:
        if check:
            size.check(place)
            return
        asked = size.Asked(
            parameters=parameters,
            tokens=tokens,
            sequence=sequence,
            layers=layers,
            width=width,
            batch=batch,
            precision=precision,
            deadline=deadline,
            budget=budget,
            mfu=mfu,
            checkpoint_rate=checkpoint_rate,
            types=tuple(types or ()),
        )
        size.size(place, asked, size.Writing(file=write, option=option, region=region, force=force))


@app.command("status")
def status_command(stack: Stack = "local", output: Form = Output.TEXT) -> None:
    """What runs now: clusters, nodes, pods, and the last verdict."""
    from operations.status import status

    with workplace(stack, output) as place:
        if not status(place):
            raise Ended(Exit.ERROR)


@app.command("doctor")
def doctor_command(output: Form = Output.TEXT) -> None:
    """What this machine lacks, and how to get it."""
    from operations.doctor import doctor

    with workplace("local", output) as place:
        if not doctor(place):
            raise Ended(Exit.ERROR)


def main(arguments: list[str] | None = None) -> int:
    """Run ``aidc``; the exit status. No traceback for what a user can cause."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 lacks arrows and some dashes
    try:
        app(arguments, prog_name="aidc")
    except Ended as ended:
        return ended.status
    except SystemExit as ended:  # typer's own: 0, or 2 for wrong usage, which here means that changes are pending
        return Exit.CLEAN if ended.code in (0, None) else _wrong_usage(sys.argv[1:] if arguments is None else arguments)
    except OperationFailed as problem:
        print(problem, file=sys.stderr)
        return problem.status
    except LocalCloudError as problem:
        print(problem, file=sys.stderr)
        return Exit.ERROR
    except KeyboardInterrupt:
        print("Interrupted. What was done is in the state: run it again to go on.", file=sys.stderr)
        return 130
    return Exit.CLEAN


def _wrong_usage(arguments: list[str]) -> Exit:
    """Typer has said what is wrong on stderr; a script that asked for data reads that there is none."""
    asked = " ".join(arguments).replace("=", " ")
    if re.search(r"(--output|-o) ?json\b", asked):
        told = [{"message": "wrong usage: stderr says what, and `aidc VERB --help` what there is"}]
        print(json.dumps({"exit_code": int(Exit.ERROR), "errors": told}, indent=2, sort_keys=True))
    return Exit.ERROR
