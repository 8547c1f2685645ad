"""What a request to AWS Backup asks for, in IAM's words.

Service authorization reference, "Actions, resources, and condition keys for AWS Backup" (believed, 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from localcloud.aws.asks import Ask, pass_role
from localcloud.aws.state import AwsState

_OF_POINT: Final = frozenset(
    {
        "DeleteRecoveryPoint",
        "DescribeRecoveryPoint",
        "DisassociateRecoveryPoint",
        "GetRecoveryPointRestoreMetadata",
        "StartCopyJob",
        "StartRestoreJob",
        "UpdateRecoveryPointLifecycle",
    }
)
_PASSING: Final = frozenset({"CreateBackupSelection", "StartBackupJob", "StartCopyJob", "StartRestoreJob"})
SERVICE: Final = "backup.amazonaws.com"


def backup_asks(state: AwsState, region: str, operation: str, arguments: Mapping[str, Any]) -> list[Ask]:
    """Rights that a request needs; `arguments` are of path, query and body."""
    own = f"arn:aws:backup:{region}:{state.account}"
    resource = "*"
    if operation in _OF_POINT and arguments.get("RecoveryPointArn"):
        resource = unquote(str(arguments["RecoveryPointArn"]))
    elif arguments.get("BackupVaultName"):
        resource = f"{own}:backup-vault:{arguments['BackupVaultName']}"
    elif arguments.get("BackupPlanId"):
        resource = f"{own}:backup-plan:{arguments['BackupPlanId']}"
    elif arguments.get("ResourceArn"):
        resource = unquote(str(arguments["ResourceArn"]))
    asks = [Ask(f"backup:{operation}", resource)]
    role = arguments.get("IamRoleArn") or (arguments.get("BackupSelection") or {}).get("IamRoleArn")
    return [*asks, pass_role(str(role), SERVICE)] if role and operation in _PASSING else asks
