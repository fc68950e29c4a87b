"""What guards an account, in generated stack files."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Values = dict[str, Any]


def securities(accounts: list[str]) -> st.SearchStrategy[Values]:
    """A security section whose boundary is of one of the stack's accounts, or AWS's own."""
    boundary = st.sampled_from([*accounts, "aws"]).map(lambda owner: f"arn:aws:iam::{owner}:policy/team/boundary")
    return st.fixed_dictionaries({}, optional={"permissions_boundary_arn": boundary})
