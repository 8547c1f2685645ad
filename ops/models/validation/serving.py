"""Serves a model repository with a real Triton: whether it loads, and answers as its release says."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3

from common.errors import UserError
from common.target import Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.vocabulary import Cloud
from localcloud.front import StackPlace, TritonServer, build_emulator
from ops.features.rows import load_rows
from ops.features.store import FeatureStore, serving_variables, write_rows
from ops.models.validation.model import Problem
from ops.serving import golden

REGION: Final = "eu-central-1"
TABLE: Final = "validation"
_IDENTITY: Final = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
_TOLD: Final = 3


def problems_of(repository: Path, python: Path, goldens: golden.GoldenSet) -> list[Problem]:
    """What the server says of a repository, and which of the checkout's goldens it answers otherwise.

    Raises:
        UserError: the emulated feature store does not start.
    """
    with tempfile.TemporaryDirectory(prefix="seawall-validate-") as scratch, _store(Path(scratch)) as (told, target):
        log = Path(scratch) / "triton.log"
        identity = {**_IDENTITY, "AWS_ENDPOINT_URL": str(target.aws_endpoint_url)}
        try:
            with serving_variables(told, target) as variables:
                server = TritonServer(repository, python, variables, log=log, identity=identity)
                with server:
                    return list(_goldens(repository, server.http_url, goldens))
        except UserError as error:
            return [Problem(".", "", f"Triton does not serve it: {error.what}", "Correct what its log names.")]


def _goldens(repository: Path, url: str, wanted: golden.GoldenSet) -> Iterator[Problem]:
    for file in sorted(repository.glob(f"*/*/{golden.RELEASED}")):
        where, told = file.relative_to(repository).as_posix(), json.loads(file.read_text(encoding="utf-8"))
        if told != wanted.told():
            named = str(told.get("sha256"))[:12]
            what = f"it names goldens with SHA-256 {named}…, and the checkout's have {wanted.sha256[:12]}…"
            yield Problem(where, "sha256", what, "Train the release and its goldens together.")
            continue
        result = golden.judge("http", wanted, golden.ask_http(url, wanted))
        for mismatch in result.mismatches[:_TOLD]:
            yield Problem(where, mismatch.entity_id, mismatch.reason, "Correct the model, or train its goldens anew.")
        if len(result.mismatches) > _TOLD:
            what = f"{len(result.mismatches)} of {result.requests} goldens are answered otherwise"
            yield Problem(where, "predictions", what, "Correct the model, or train its goldens anew.")


@contextmanager
def _store(folder: Path) -> Iterator[tuple[FeatureStore, Target]]:
    """An emulated feature store with the golden entities' features, for the length of a block."""
    place = StackPlace("validate", REGION, "eu-west-1", "111122223333")
    emulator = build_emulator(Cloud.AWS, place, folder)
    emulator.start(None)
    try:
        target = emulator.target()
        make: Any = boto3.client
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        make("dynamodb", region_name=REGION, endpoint_url=target.aws_endpoint_url, **keys).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        variables = {serving.FEATURES_TABLE: TABLE, serving.FEATURES_REGION: REGION}
        store = FeatureStore(FeatureStoreKind.DYNAMODB, TABLE, REGION, TABLE, variables)
        write_rows(store, target, load_rows(), ttl_hours=1)
        yield store, target
    finally:
        emulator.stop()
