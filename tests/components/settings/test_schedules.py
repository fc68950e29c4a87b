"""Two syntaxes of a schedule: each takes its own, and says why not the other."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.settings.schedules import AwsSchedule, KubernetesSchedule

KUBERNETES: TypeAdapter[str] = TypeAdapter(KubernetesSchedule)
AWS: TypeAdapter[str] = TypeAdapter(AwsSchedule)


def refusal(adapter: TypeAdapter[str], text: str) -> str:
    with pytest.raises(ValidationError) as raised:
        adapter.validate_python(text)
    (error,) = raised.value.errors()
    assert error["type"] == "schedule"
    return error["msg"]


@pytest.mark.parametrize(
    "text", ["0 3 * * *", "*/15 0-6 1,15 jan-MAR MON-FRI", "0 0 31 2 1", "5/10 * ? * ?", "@daily", "0 0 29 FEB *"]
)
def test_kubernetes_takes_five_fields_and_words(text: str) -> None:
    assert KUBERNETES.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cron(0 3 * * ? *)", "that is AWS' syntax"),
        ("0 3 * * ? *", "it has 6 fields"),
        ("", "it has 0 fields"),
        ("60 * * * *", "minute 60 is not 0 to 59"),
        ("0 3 * * 7", "weekday 7 is not 0 to 6, or SUN to SAT"),
        ("0 3 0 * *", "day 0 is not 1 to 31"),
        ("0 3 * 13 *", "month 13 is not 1 to 12, or JAN to DEC"),
        ("0 5-3 * * *", "hour 5-3 ends before it begins"),
        ("*/0 * * * *", "the step of minute 0 is not"),
        ("0, * * * *", "minute nothing is not"),
        ("0 3 31 2,4 *", "day 31 comes in none of its months: it would never run"),
        ("@every 1h", "of words it knows @yearly"),
        ("TZ=UTC 0 3 * * *", "names no time zone"),
        ("٣ * * * *", "minute ٣ is not 0 to 59"),
    ],
)
def test_kubernetes_refuses_what_its_controller_would(text: str, reason: str) -> None:
    assert reason in refusal(KUBERNETES, text)


@pytest.mark.parametrize(
    "text",
    ["cron(0 3 * * ? *)", "cron(30 0/6 ? JAN-MAR MON-FRI 2027)", "cron(0 8 ? * 3#1 *)", "cron(0 0 LW * ? *)",
     "rate(1 hour)", "rate(12 hours)", "rate(60 minutes)", "rate(1 day)"],
)  # fmt: skip
def test_aws_takes_six_fields_with_one_question_mark_and_rates(text: str) -> None:
    assert AWS.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 3 * * *", "it is neither"),
        ("@daily", "it is neither"),
        ("cron(0 3 * * *)", "it has 5 fields"),
        ("cron(0 3 * * * *)", "one of day and weekday is ?"),
        ("cron(0 3 ? * ? *)", "one of day and weekday is ?"),
        ("cron(0 3 ? * 0 *)", "weekday 0 is not 1 to 7"),
        ("cron(0 3 31 FEB ? *)", "it would never run"),
        ("cron(*/10 3 * * ? *)", "once an hour at most"),
        ("cron(0 3 * * ? 1969)", "year 1969 is not 1970 to 2199"),
        ("rate(30 minutes)", "once an hour at most"),
        ("rate(1 hours)", "a rate of 1 is in hour"),
        ("rate(2 hour)", "a rate of 2 is in hours"),
        ("rate(0 hours)", "a rate is a number and"),
        ("rate(2 weeks)", "a rate is a number and"),
        ("cron(0 3 1 * ? *)" + " " * 300, "it is neither"),
    ],
)
def test_aws_refuses_what_datasync_would(text: str, reason: str) -> None:
    assert reason in refusal(AWS, text)


@settings(max_examples=50, deadline=None)
@given(text=st.text("0123456789*/,-?#L@()crone TZ=é٣", max_size=30))
def test_any_text_is_a_schedule_or_told(text: str) -> None:
    for adapter in (KUBERNETES, AWS):
        with contextlib.suppress(ValidationError):
            assert adapter.validate_python(text) == text
