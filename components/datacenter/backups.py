"""What is kept beside what is kept: backups here and in the recovery region."""

from __future__ import annotations

from typing import Any

import pulumi

from ..backup import Backup, BackupArgs, CopiesArgs
from ..datasets import Place
from ..rules.backup import chosen_places
from ..settings import BackupConfig
from .data import Data
from .foundation import Foundation
from .site import Site


class Backups:
    """AWS Backup, where the stack asks for it."""

    backup: Backup | None = None

    def __init__(self, site: Site, foundation: Foundation, data: Data) -> None:
        self._site, self._foundation = site, foundation
        self._arns: dict[str, dict[Place, pulumi.Output[str]]] = {}
        if site.config.backup is not None:
            known = data.arns()
            for name, plan in site.config.backup.plans.items():
                self._arns[name] = {place: known[place] for place in chosen_places(plan, site.config)}
            self.backup = self._create_backup(site.config.backup)

    def _create_backup(self, config: BackupConfig) -> Backup:
        site, alerts = self._site, self._foundation.alerts
        args = BackupArgs(
            name=site.name,
            region=site.region,
            account_id=site.account_id,
            config=config,
            resource_arns=self._arns,
            key_arn=self._foundation.encryption.key_arn,
            copies=self._copies(),
            retain=site.config.retain_data,
            topic_arn=alerts.topic_arn if alerts else None,
        )
        return Backup("backup", args, site.opts)

    def _copies(self) -> CopiesArgs | None:
        recovery, provider = self._site.config.recovery, self._site.recovery_provider
        key_arn = self._foundation.encryption.replica_key_arn
        if recovery is None or provider is None or key_arn is None:
            return None
        alerts = self._foundation.alerts
        topic_arn = alerts.recovery_topic_arn if alerts else None
        return CopiesArgs(region=recovery.region, provider=provider, key_arn=key_arn, topic_arn=topic_arn)

    def outputs(self) -> dict[str, Any]:
        """``backup``, where there is one."""
        made, copies = self.backup, self._copies()
        if made is None:
            return {}
        there = {"region": copies.region, "name": made.copy_vault_name, "arn": made.copy_vault_arn} if copies else None
        plans = [
            {"name": name, "id": id, "resource_arns": list(self._arns[name].values())}
            for name, id in made.plan_ids.items()
        ]
        return {
            "backup": {
                "vault": {"region": self._site.region, "name": made.vault_name, "arn": made.vault_arn},
                "copies": there if made.copy_vault_arn is not None else None,
                "plans": plans,
                "restore_test": made.restore_test_name,
            }
        }
