"""The entry point that Pulumi runs: load the settings, compose the platform, export its outputs."""

import pulumi

from stacks.compose import compose
from stacks.settings import CONFIG_KEY, Settings

values = pulumi.Config().require_object(CONFIG_KEY.partition(":")[2])
compose(Settings.parse(values, f"config {CONFIG_KEY} of {pulumi.get_stack()}")).export()
