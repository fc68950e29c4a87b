"""What a stack file may say of guarding its account."""

from __future__ import annotations

from pathlib import Path

from tests.components.stack_files import GOOD, problems


def test_a_boundary_of_another_account_is_refused_with_the_accounts_that_may_have_it(tmp_path: Path) -> None:
    section = "  ai-datacenter:security: {permissions_boundary_arn: 'arn:aws:iam::999999999999:policy/b'}\n"
    (problem,) = problems(tmp_path, GOOD + section)
    assert problem.key == "ai-datacenter:security.permissions_boundary_arn"
    assert "a boundary of its own account only" in problem.message
    assert "123456789012" in str(problem)


def test_what_is_no_policy_is_no_boundary(tmp_path: Path) -> None:
    section = "  ai-datacenter:security: {permissions_boundary_arn: 'arn:aws:iam::123456789012:role/b'}\n"
    (problem,) = problems(tmp_path, GOOD + section)
    assert problem.key == "ai-datacenter:security.permissions_boundary_arn"
