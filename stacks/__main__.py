"""The entry point that Pulumi runs: load the settings, compose the stack that they ask for, export its outputs."""

import gc

import pulumi

from stacks.programs import KEYS, export, of_config

# Walking the SDKs' many objects again and again takes a fifth of the program's few seconds, and frees nothing.
gc.disable()

given = {key: pulumi.Config().get_object(key.partition(":")[2]) for key in KEYS}
export(of_config({key: values for key, values in given.items() if values is not None}, pulumi.get_stack()))
