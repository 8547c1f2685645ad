"""The entry point that Pulumi runs: load the settings, compose the platform, export its outputs."""

import gc

import pulumi

from stacks.settings import CONFIG_KEY, Settings

# Walking the SDKs' many objects again and again takes a fifth of the program's few seconds, and frees nothing.
gc.disable()

from stacks.compose import compose  # noqa: E402 - the SDKs, loaded without collections

values = pulumi.Config().require_object(CONFIG_KEY.partition(":")[2])
compose(Settings.parse(values, f"config {CONFIG_KEY} of {pulumi.get_stack()}")).export()
