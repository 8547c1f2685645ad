"""The store keeps records for several processes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localcloud.providers.store import Store, Stored


def record(identity: str) -> Stored:
    return Stored("aws:ec2/vpc:Vpc", identity, f"urn::{identity}", {"cidrBlock": "10.0.0.0/16"}, {"arn": "a"})


def test_a_record_is_found_again_after_the_store_was_opened_anew(tmp_path: Path) -> None:
    first = Store(tmp_path / "store.sqlite3")
    first.put(record("vpc-1"))
    first.close()
    second = Store(tmp_path / "store.sqlite3")
    found = second.get("aws:ec2/vpc:Vpc", "vpc-1")
    second.close()
    assert found == record("vpc-1")


def test_two_open_stores_see_each_others_records(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "store.sqlite3") for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: stores[n % 2].put(record(f"vpc-{n}")), range(40)))
    counts = [len(list(store.all())) for store in stores]
    for store in stores:
        store.close()
    assert counts == [40, 40]


def test_a_deleted_record_is_gone(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite3")
    store.put(record("vpc-1"))
    store.delete("aws:ec2/vpc:Vpc", "vpc-1")
    found = store.get("aws:ec2/vpc:Vpc", "vpc-1")
    store.close()
    assert found is None
