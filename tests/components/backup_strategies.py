"""The backups of generated stack files: plans for what can be backed up, within what the vaults' lock takes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.settings import PROJECT

from .storage_strategies import NAMES, Values, some

_LEAST_DAYS = 7


def _can_be_chosen(dataset: Values, lustre: Values) -> bool:
    if dataset["kind"] != "fsx":
        return True
    system = lustre[dataset["place"]]
    return "link" not in system and system.get("deployment") != "scratch_2"


@st.composite
def _rules(draw: st.DrawFn, kinds: set[str], copied: bool) -> Values:
    rule: Values = {"retention_days": draw(st.integers(_LEAST_DAYS, 365))}
    rule |= some(
        draw, {"every": st.sampled_from(["hour", "4_hours", "12_hours", "day"]), "hour_utc": st.integers(0, 23)}
    )
    rule |= some(
        draw, {"start_window_minutes": st.integers(60, 240), "completion_window_minutes": st.integers(300, 900)}
    )
    if "s3" in kinds and draw(st.booleans()):
        rule |= {"continuous": True, "retention_days": draw(st.integers(_LEAST_DAYS, 35))}
    elif kinds == {"efs"} and draw(st.booleans()):
        cold = draw(st.integers(1, 100))
        rule |= {"cold_storage_days": cold, "retention_days": cold + draw(st.integers(90, 200))}
    if copied and draw(st.booleans()):
        rule["recovery_copy"] = {"retention_days": draw(st.integers(_LEAST_DAYS, 365))}
    return rule


@st.composite
def backups(draw: st.DrawFn, values: Values) -> Values | None:
    """A backup section that is for every critical dataset; ``None`` where there is nothing to back up."""
    datasets: Values = values.get(f"{PROJECT}:storage", {}).get("datasets", {})
    lustre: Values = values.get(f"{PROJECT}:lustre", {})
    chosen = sorted(name for name, one in datasets.items() if _can_be_chosen(one, lustre))
    if not chosen:
        return None
    kinds = {datasets[name]["kind"] for name in chosen}
    rules = _rules(kinds, f"{PROJECT}:recovery" in values)
    plans: dict[str, Any] = {"all": {"datasets": chosen, "rules": draw(_named(rules))}}
    section: Values = {"plans": plans}
    lock = {"mode": st.just("governance"), "max_retention_days": st.just(400)}
    test = {"every": st.sampled_from(["day", "month"]), "within_days": st.integers(1, 365)}
    if draw(st.booleans()):
        section["lock"] = {"min_retention_days": draw(st.integers(1, _LEAST_DAYS)), **some(draw, lock)}
    if draw(st.booleans()):
        section["restore_test"] = some(draw, test)
    return section


def _named(rules: st.SearchStrategy[Values]) -> st.SearchStrategy[Values]:
    return st.dictionaries(NAMES, rules, min_size=1, max_size=2)
