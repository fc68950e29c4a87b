"""What a stack file may not ask of backups, where that is told, and what it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import Problem, load
from components.rules.backup import chosen_places, recovery_point
from components.rules.datasets import promise
from components.settings import StackConfig

from ..stack_files import problems

BASE = """config:
  aws:region: us-east-1
  aws:allowedAccountIds: ["123456789012"]
  ai-datacenter:name: aidc-test
  ai-datacenter:network: {cidr: 10.0.0.0/16, zones: [us-east-1a, us-east-1b, us-east-1c]}
  ai-datacenter:pools: {cpu: {instance_type: m7i.large, desired_size: 2}}
  ai-datacenter:smoke_test: {pool: cpu}
  ai-datacenter:efs: {homes: {}}
  ai-datacenter:lustre:
    linked: {capacity_gib: 1200, throughput_mb_s_per_tib: 250, zone: us-east-1b, link: {}}
    scratch: {capacity_gib: 1200, deployment: scratch_2, zone: us-east-1b}
    kept: {capacity_gib: 1200, throughput_mb_s_per_tib: 250, zone: us-east-1b}
  ai-datacenter:storage:
    datasets:
      tokens: {kind: s3, class: reproducible, owner: ml}
      homes: {kind: efs, class: reproducible, owner: ml}
      cache: {kind: fsx, place: linked, class: reproducible, owner: ml}
      spill: {kind: fsx, place: scratch, class: scratch, owner: ml}
      work: {kind: fsx, place: kept, class: reproducible, owner: ml}
"""
RECOVERY = "  ai-datacenter:recovery: {region: us-west-2, cidr: 10.1.0.0/16}\n"
LOCK = "lock: {min_retention_days: 7, max_retention_days: 90}"
PLAN = "  ai-datacenter:backup:\n    plans:\n      all:\n"


def plan(rule: str, chosen: str = "datasets: [tokens]", *more: str) -> str:
    """A backup section with one plan of one rule; ``more``: its other lines."""
    lines = "".join(f"    {line}\n" for line in more)
    return f"{PLAN}        {chosen}\n        rules:\n          daily: {{{rule}}}\n{lines}"


def told(folder: Path, more: str, base: str = BASE) -> tuple[Problem, ...]:
    return problems(folder, base + more)


def taken(folder: Path, more: str, base: str = BASE) -> StackConfig:
    file = folder / "Pulumi.test.yaml"
    file.write_text(base + more)
    return load(file)


# All of them stand in one stack file, as plans of their own: everything that is wrong is told at once.
COPY = "recovery_copy: {retention_days: 7}"
REFUSED = (
    ("retention_days: 36", "datasets: [tokns]", "datasets.0", "there is no dataset tokns"),
    ("retention_days: 36", "classes: [critical]", "classes", "no dataset is critical"),
    ("retention_days: 36", "classes: []", "", "name classes or datasets"),
    ("retention_days: 36", "datasets: [tokens, cache]", "datasets.1", "linked to a bucket"),
    ("retention_days: 36", "classes: [scratch]", "classes", "of which FSx makes no backups"),
    (f"retention_days: 7, {COPY}", "datasets: [tokens]", "rules.daily.recovery_copy", "no section recovery"),
    ("retention_days: 7, completion_window_minutes: 120, start_window_minutes: 61", "datasets: [tokens]",
     "rules.daily.completion_window_minutes", "121 at least"),
    ("retention_days: 36, continuous: true", "datasets: [tokens]", "rules.daily.retention_days", "35 days at most"),
    ("retention_days: 35, continuous: true", "datasets: [homes]", "rules.daily.continuous", "only buckets"),
    ("retention_days: 7, every: week, continuous: true", "datasets: [tokens]", "rules.daily.retention_days",
     "expires before the next"),
    ("retention_days: 119, cold_storage_days: 30", "datasets: [homes]", "rules.daily.retention_days",
     "must be 120 at least"),
    ("retention_days: 120, cold_storage_days: 30", "datasets: [homes, tokens]", "rules.daily.cold_storage_days",
     "the plan is for buckets too"),
    ("retention_days: 0", "datasets: [tokens]", "rules.daily.retention_days", "greater than or equal to 1"),
    ("every: minute, retention_days: 7", "datasets: [tokens]", "rules.daily.every", "hour"),
    ("retention_days: 7, start_window_minutes: 59", "datasets: [tokens]", "rules.daily.start_window_minutes", "60"),
    ("retention_days: 6", "datasets: [homes]", "rules.daily.retention_days", "7 to 400 days"),
    ("retention_days: 401", "datasets: [homes]", "rules.daily.retention_days", "7 to 400 days"),
)  # fmt: skip


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Problem, ...]:
    plans = "".join(
        f"      plan-{number}:\n        {chosen}\n        rules: {{daily: {{{rule}}}}}\n"
        for number, (rule, chosen, _, _) in enumerate(REFUSED)
    )
    lock = "    lock: {min_retention_days: 7, max_retention_days: 400}\n"
    return told(tmp_path_factory.mktemp("plans"), f"  ai-datacenter:backup:\n{lock}    plans:\n{plans}")


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=lambda number: REFUSED[number][3])
def test_a_plan_that_cannot_be_is_refused_with_its_reason(refused: tuple[Problem, ...], number: int) -> None:
    _, _, key, reason = REFUSED[number]
    place = f"ai-datacenter:backup.plans.plan-{number}"
    (problem,) = [one for one in refused if one.key == place or one.key.startswith(f"{place}.")]
    assert problem.key == (f"{place}.{key}" if key else place)
    assert reason in str(problem)
    assert problem.line > BASE.count("\n") + 3 * number


def test_what_a_locked_vault_takes_is_taken_and_a_copy_is_in_one_as_well(tmp_path: Path) -> None:
    for days in (7, 90):
        taken(tmp_path, plan(f"retention_days: {days}", "datasets: [tokens]", LOCK))
    copied = plan("retention_days: 7, recovery_copy: {retention_days: 91}", "datasets: [tokens]", LOCK)
    (problem,) = told(tmp_path, RECOVERY + copied)
    assert problem.key == "ai-datacenter:backup.plans.all.rules.daily.recovery_copy.retention_days"
    assert "7 to 90 days" in problem.message


@pytest.mark.parametrize(
    ("lock", "key", "reason"),
    [
        ("mode: compliance, changeable_days: 3", "mode", "say irreversible: true"),
        ("mode: compliance, irreversible: true", "mode", "needs changeable_days"),
        ("mode: compliance, irreversible: true, changeable_days: 2", "changeable_days", "greater than or equal to 3"),
        ("changeable_days: 3", "changeable_days", "a lock that nobody can lift"),
        ("max_retention_days: 6", "max_retention_days", "less than min_retention_days 7"),
    ],
)
def test_a_lock_is_final_only_where_the_stack_file_says_so(tmp_path: Path, lock: str, key: str, reason: str) -> None:
    found = told(tmp_path, plan("retention_days: 7", "datasets: [tokens]", f"lock: {{min_retention_days: 7, {lock}}}"))
    assert found[-1].key == f"ai-datacenter:backup.lock.{key}"
    assert reason in str(found[-1])


def test_a_final_lock_does_not_go_with_a_stack_that_leaves_nothing(tmp_path: Path) -> None:
    lock = "lock: {mode: compliance, min_retention_days: 7, changeable_days: 3, irreversible: true}"
    final = plan("retention_days: 7", "datasets: [tokens]", lock)
    taken(tmp_path, final)
    (problem,) = told(tmp_path, f"{final}  ai-datacenter:retain_data: false\n")
    assert problem.key == "ai-datacenter:backup.lock.mode"
    assert "holds a locked backup" in problem.message


def test_a_copy_to_the_stack_s_own_region_is_none(tmp_path: Path) -> None:
    copied = plan("retention_days: 7, recovery_copy: {retention_days: 7}")
    found = told(tmp_path, RECOVERY.replace("us-west-2", "us-east-1") + copied)
    assert any("its loss would take both" in problem.message for problem in found)


def test_datasets_of_one_place_are_backed_up_once_and_as_a_whole(tmp_path: Path) -> None:
    both = BASE.replace("      homes:", "      more: {kind: s3, class: scratch, owner: ml}\n      homes:")
    both = both.replace("place: scratch, class: scratch", "place: scratch, class: reproducible")
    chosen = "classes: [scratch]\n        datasets: [more, homes]"
    config = taken(tmp_path, plan("retention_days: 7", chosen), both)
    assert config.backup is not None
    assert chosen_places(config.backup.plans["all"], config) == (("efs", "homes"), ("s3", "data"))


def test_a_recovery_point_is_what_the_rules_for_a_place_let_be_lost(tmp_path: Path) -> None:
    rule = "retention_days: 7, continuous: true, recovery_copy: {retention_days: 7}"
    config = taken(tmp_path, RECOVERY + plan(rule, "datasets: [tokens, homes]"))
    here = {
        place: recovery_point(*place, config) for place in (("s3", "data"), ("efs", "homes"), ("s3", "checkpoints"))
    }
    assert [found and found[0] for found in here.values()] == [15, 1440, None]
    there = recovery_point("s3", "data", config, elsewhere=True)
    assert there is not None
    assert there[0] == 1440, "copies of continuous backups are snapshots"
    local = taken(tmp_path, plan("retention_days: 7, every: hour"))
    found = recovery_point("s3", "data", local)
    assert (found and found[0], recovery_point("s3", "data", local, elsewhere=True)) == (60, None)


@pytest.mark.parametrize(
    ("every", "chosen", "own", "minutes"),
    [
        ("hour", "work", 0, 60), ("day", "work", 0, 1440), ("hour", "tokens", 0, None), ("hour", "tokens", 7, 1440),
    ],
)  # fmt: skip
def test_lustre_promises_what_its_plan_does_and_not_what_one_could(
    tmp_path: Path, every: str, chosen: str, own: int, minutes: int | None
) -> None:
    base = BASE.replace("kept: {", f"kept: {{backup_retention_days: {own}, ")
    section = plan(f"retention_days: 7, every: {every}", f"datasets: [{chosen}]")
    config = taken(tmp_path, section, base)
    assert promise(config.storage.datasets["work"], config)[0] == minutes
    wished = base.replace("place: kept, ", "place: kept, rpo_minutes: 59, ")
    (problem,) = told(tmp_path, section, wished)
    assert problem.key == "ai-datacenter:storage.datasets.work.rpo_minutes"


def test_critical_data_that_nothing_replicates_needs_a_plan_that_copies_it_often_enough(tmp_path: Path) -> None:
    base = BASE.replace(
        "tokens: {kind: s3, class: reproducible", "tokens: {kind: s3, class: critical, RPO, rto_minutes: 60"
    )
    daily, wished = base.replace("RPO", "rpo_minutes: 1440"), base.replace("RPO", "rpo_minutes: 1439")
    copied = RECOVERY + plan("retention_days: 7, continuous: true, recovery_copy: {retention_days: 7}")
    config = taken(tmp_path, copied, daily)
    assert promise(config.storage.datasets["tokens"], config)[0] == 1440
    for text, section, reason in (
        (wished, copied, "less than s3 can promise (1440)"),
        (daily, RECOVERY + plan("retention_days: 7, continuous: true"), "a loss of us-east-1 takes all of it"),
        (daily, copied.replace("[tokens]", "[homes]").replace("continuous: true, ", ""), "takes all of it"),
    ):
        (problem,) = told(tmp_path, section, text)
        assert problem.key == "ai-datacenter:storage.datasets.tokens.rpo_minutes"
        assert reason in problem.message


def test_what_is_exported_to_a_bucket_is_kept_as_the_bucket_is(tmp_path: Path) -> None:
    base = BASE.replace("place: linked, class: reproducible", "place: linked, rpo_minutes: 1440, class: reproducible")
    copied = RECOVERY + plan("retention_days: 7, recovery_copy: {retention_days: 7}")
    config = taken(tmp_path, copied, base)
    assert promise(config.storage.datasets["cache"], config)[0] == 1440


def test_a_rule_is_silent_where_a_value_is_wrong_by_itself(tmp_path: Path) -> None:
    for wrong in (
        plan("retention_days: no, continuous: true"),
        plan("retention_days: no, cold_storage_days: 30", "datasets: [homes]"),
    ):
        (problem,) = told(tmp_path, wrong)
        assert problem.key == "ai-datacenter:backup.plans.all.rules.daily.retention_days"
