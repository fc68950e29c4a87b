"""What guards an account, in generated stack files."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Values = dict[str, Any]


def securities(accounts: list[str]) -> st.SearchStrategy[Values]:
    """A security section whose boundary is of one of the stack's accounts, or AWS's own."""
    boundary = st.sampled_from([*accounts, "aws"]).map(lambda owner: f"arn:aws:iam::{owner}:policy/team/boundary")
    trail = st.fixed_dictionaries({}, optional={"keep_days": st.integers(90, 36_500), "data_events": st.booleans()})
    looks = {name: st.booleans() for name in ("audit_logs", "s3", "runtime")}
    optional = {
        "permissions_boundary_arn": boundary,
        "trail": trail,
        "guardduty": st.fixed_dictionaries({}, optional=looks),
    }
    return st.fixed_dictionaries({}, optional=optional)


def alerts() -> st.SearchStrategy[Values]:
    """Alerts that reach somebody."""
    percents = st.lists(st.integers(1, 1000), min_size=1, max_size=4, unique=True)
    budget = st.fixed_dictionaries(
        {"monthly_usd": st.integers(1, 10**9)}, optional={"actual_percent": percents, "forecast_percent": percents}
    )
    optional = {
        "https": st.just(["https://events.example.com/integration/a"]),
        "lustre_free_percent": st.integers(1, 99),
        "errors_5xx": st.integers(1, 10**6),
        "dashboard": st.booleans(),
        "budget": budget,
    }
    return st.fixed_dictionaries({"emails": st.just(["oncall@example.com"])}, optional=optional)
