"""AWS Backup: plans, vaults and selections as deployed, and the recovery points, copies and restores that follow."""
