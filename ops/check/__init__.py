"""Policy verdicts on stacks: read plans, judge them, and print the result for people and machines."""
