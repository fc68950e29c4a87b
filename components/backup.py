"""AWS Backup: a vault here and one in the recovery region, plans for what is kept, and tests that it can be had back.

Plans choose by ARN, from what the stack file says of datasets: tags would choose what another stack of the account has
tagged alike, and nothing of a service that the account has not opted into.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .backup_roles import Where, backup_policy, restore_policy, trust
from .datasets import Place
from .naming import IAM_ROLE_LIMIT, component_type, fit
from .settings import BackupConfig, BackupPlanConfig, BackupRuleConfig, RestoreTestConfig

NAME_LIMIT = 50  # AWS Backup API reference: vaults, selections, rules and plans of restore tests
RESOURCE_TYPES = {"s3": "S3", "efs": "EFS", "fsx": "FSx"}
# What somebody must look at; jobs that end well are in the console.
EVENTS = (
    "BACKUP_JOB_FAILED", "BACKUP_JOB_EXPIRED", "COPY_JOB_FAILED", "RESTORE_JOB_COMPLETED", "S3_BACKUP_OBJECT_FAILED",
    "CONTINUOUS_BACKUP_INTERRUPTED",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CopiesArgs:
    """Where copies go.

    Attributes:
        region: the recovery region.
        provider: AWS there.
        key_arn: the KMS key there.
        topic_arn: the SNS topic there that its vault tells; ``None``: nobody is told.
    """

    region: str
    provider: aws.Provider
    key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class BackupArgs:
    """Arguments of :class:`Backup`.

    Attributes:
        key_arn: the KMS key that encrypts the vault.
        resource_arns: for each plan, what it backs up.
        copies: the recovery region; needed where a rule copies.
        retain: whether a vault with backups in it stops a destroy.
        topic_arn: the SNS topic that the vault here tells where the configuration names no other.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: BackupConfig
    resource_arns: Mapping[str, Mapping[Place, pulumi.Input[str]]]
    key_arn: pulumi.Input[str]
    retain: bool
    copies: CopiesArgs | None = None
    topic_arn: pulumi.Input[str] | None = None


class Backup(pulumi.ComponentResource):
    """Vaults, plans and restore tests.

    Attributes:
        vault_name: the vault here.
        vault_arn: its ARN.
        copy_vault_name: the recovery region's vault, ``None`` where nothing is copied.
        copy_vault_arn: its ARN, or ``None``.
        plan_ids: the plans, by their names in the stack file.
        restore_test_name: the plan that tests restores, ``None`` without one.
    """

    vault_name: pulumi.Output[str]
    vault_arn: pulumi.Output[str]
    copy_vault_name: pulumi.Output[str] | None = None
    copy_vault_arn: pulumi.Output[str] | None = None
    plan_ids: dict[str, pulumi.Output[str]]
    restore_test_name: pulumi.Output[str] | None

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Backup), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        vault, lock = self._create_vault("vault", "backups", args.key_arn, self._child)
        self.vault_name, self.vault_arn = vault.name, vault.arn
        self._tell("notifications", vault, args.config.notification_topic_arn or args.topic_arn, self._child)
        after = [*lock, *self._create_copy_vault()]
        role, rights = self._create_role("backup", self._backup_policy())
        self.plan_ids = {}
        for plan, config in args.config.plans.items():
            self.plan_ids[plan] = self._create_plan(plan, config, after)
            self._create_selection(plan, role, rights)
        self.restore_test_name = self._create_restore_test(args.config.restore_test)
        self.register_outputs({"vault_arn": self.vault_arn, "copy_vault_arn": self.copy_vault_arn})

    def _create_vault(
        self, label: str, kind: str, key_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> tuple[aws.backup.Vault, list[pulumi.Resource]]:
        """A vault, and its lock where there is one."""
        vault = aws.backup.Vault(
            f"{self._name}-{label}",
            name=fit(self._args.name, kind, limit=NAME_LIMIT),
            kms_key_arn=key_arn,
            force_destroy=not self._args.retain,
            opts=opts,
        )
        lock = self._args.config.lock
        if lock is None:
            return vault, []
        made = aws.backup.VaultLockConfiguration(
            f"{self._name}-{label}-lock",
            backup_vault_name=vault.name,
            min_retention_days=lock.min_retention_days,
            max_retention_days=lock.max_retention_days,
            changeable_for_days=lock.changeable_days,
            # A vault has one lock: the end of an old one after the beginning of its successor would leave none.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
        )
        return vault, [made]

    def _create_copy_vault(self) -> list[pulumi.Resource]:
        copies = self._args.copies
        if copies is None or not self._args.config.has_copies:
            return []
        there = pulumi.ResourceOptions(parent=self, provider=copies.provider)
        vault, lock = self._create_vault("copies", "copies", copies.key_arn, there)
        self.copy_vault_name, self.copy_vault_arn = vault.name, vault.arn
        self._tell("copies-notifications", vault, copies.topic_arn, there)
        return lock

    def _create_role(self, kind: str, policy: pulumi.Output[str]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-{kind}-role",
            name=fit(args.name, args.region, kind, limit=IAM_ROLE_LIMIT),
            assume_role_policy=pulumi.Output.from_input(args.account_id).apply(lambda known: json.dumps(trust(known))),
            opts=self._child,
        )
        return role, aws.iam.RolePolicy(f"{self._name}-{kind}-policy", role=role.name, policy=policy, opts=self._child)

    def _backup_policy(self) -> pulumi.Output[str]:
        args = self._args
        vaults = [arn for arn in (self.vault_arn, self.copy_vault_arn) if arn is not None]
        found = {place: arn for of_plan in args.resource_arns.values() for place, arn in of_plan.items()}
        places = list(found)

        def policy(known: list[Any]) -> str:
            (where, vault_arns), arns = known[:2], known[2:]
            return json.dumps(backup_policy(where, dict(zip(places, arns, strict=True)), vault_arns))

        return pulumi.Output.all(self._where(), pulumi.Output.all(*vaults), *found.values()).apply(policy)

    def _where(self) -> pulumi.Output[Where]:
        args = self._args
        keys = [args.key_arn, *([args.copies.key_arn] if args.copies and self.copy_vault_arn is not None else [])]
        known = pulumi.Output.all(args.account_id, *keys)
        return known.apply(lambda found: Where(account_id=found[0], region=args.region, key_arns=found[1:]))

    def _create_plan(self, plan: str, config: BackupPlanConfig, after: list[pulumi.Resource]) -> pulumi.Output[str]:
        return aws.backup.Plan(
            f"{self._name}-plan-{plan}",
            name=fit(self._args.name, plan, limit=NAME_LIMIT),
            rules=[self._rule(name, rule) for name, rule in config.rules.items()],
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        ).id

    def _rule(self, name: str, rule: BackupRuleConfig) -> aws.backup.PlanRuleArgsDict:
        made: aws.backup.PlanRuleArgsDict = {
            "rule_name": name,
            "target_vault_name": self.vault_name,
            "schedule": schedule(rule.every, rule.hour_utc),
            "start_window": rule.start_window_minutes,
            "completion_window": rule.completion_window_minutes,
            "enable_continuous_backup": rule.continuous,
            "lifecycle": {"cold_storage_after": rule.cold_storage_days, "delete_after": rule.retention_days},
        }
        copy = rule.recovery_copy
        if copy is not None and self.copy_vault_arn is not None:
            kept: aws.backup.PlanRuleCopyActionLifecycleArgsDict = {
                "cold_storage_after": copy.cold_storage_days,
                "delete_after": copy.retention_days,
            }
            made["copy_actions"] = [{"destination_vault_arn": self.copy_vault_arn, "lifecycle": kept}]
        return made

    def _create_selection(self, plan: str, role: aws.iam.Role, rights: aws.iam.RolePolicy) -> None:
        aws.backup.Selection(
            f"{self._name}-selection-{plan}",
            name=fit(self._args.name, plan, limit=NAME_LIMIT),
            plan_id=self.plan_ids[plan],
            iam_role_arn=role.arn,
            resources=list(self._args.resource_arns[plan].values()),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights], delete_before_replace=True),
        )

    def _create_restore_test(self, config: RestoreTestConfig | None) -> pulumi.Output[str] | None:
        if config is None:
            return None
        args = self._args
        found = {place: arn for of_plan in args.resource_arns.values() for place, arn in of_plan.items()}
        kinds = sorted({kind for kind, _ in found})
        policy = self._where().apply(lambda where: json.dumps(restore_policy(where, kinds)))
        role, rights = self._create_role("restore", policy)
        plan = aws.backup.RestoreTestingPlan(
            f"{self._name}-restore-test",
            name=args.name.replace("-", "_"),  # the API takes no dashes here
            schedule_expression=schedule(config.every, config.hour_utc),
            start_window_hours=config.start_window_hours,
            recovery_point_selection={
                "algorithm": f"{config.recovery_point.upper()}_WITHIN_WINDOW",
                "include_vaults": [self.vault_arn],
                "recovery_point_types": ["CONTINUOUS", "SNAPSHOT"],
                "selection_window_days": config.within_days,
            },
            opts=self._child,
        )
        for kind in kinds:
            aws.backup.RestoreTestingSelection(
                f"{self._name}-restore-test-{kind}",
                name=f"{args.name.replace('-', '_')}_{kind}",
                restore_testing_plan_name=plan.name,
                iam_role_arn=role.arn,
                protected_resource_type=RESOURCE_TYPES[kind],
                protected_resource_arns=[arn for (of, _), arn in found.items() if of == kind],
                validation_window_hours=config.hold_hours,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
            )
        return plan.name

    def _tell(
        self, label: str, vault: aws.backup.Vault, topic: pulumi.Input[str] | None, opts: pulumi.ResourceOptions
    ) -> None:
        """A vault tells a topic of its own region, and no other."""
        if topic is None:
            return
        aws.backup.VaultNotifications(
            f"{self._name}-{label}",
            backup_vault_name=vault.name,
            sns_topic_arn=topic,
            backup_vault_events=list(EVENTS),
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
        )


def schedule(every: str, hour: int) -> str:
    """An expression of EventBridge Scheduler's cron: minute, hour, day of the month, month, day of the week, year."""
    hours = {"hour": "*", "4_hours": f"{hour % 4}/4", "12_hours": f"{hour % 12}/12"}.get(every, str(hour))
    days = {"week": "? * SUN *", "month": "1 * ? *"}.get(every, "* * ? *")
    return f"cron(0 {hours} {days})"
