"""What else is in the project: networks with the same addresses, names that are taken, key rings that survived."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from ops.preflight.addresses import Taken, overlaps
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, Unread, missing, ok, unknown
from ops.preflight.wanted import Wanted

_LIVE: Final = ("ENABLED", "PENDING_GENERATION")


def addresses(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the stack's ranges overlap a subnet or a reserved range of another network of the project."""
    if not wanted.networks:
        return
    networks = set(wanted.named("gcp:compute/network:Network", "name"))

    def foreign(thing: Mapping[str, Any]) -> bool:
        return str(thing.get("network", "")).rpartition("/")[2] not in networks

    taken = [
        Taken(f"subnet {subnet['name']}", ipaddress.IPv4Network(cidr))
        for subnets in reader.aggregated("subnetworks", "subnetworks").values()
        for subnet in subnets
        if foreign(subnet) and "ipCidrRange" in subnet
        for cidr in (subnet["ipCidrRange"], *(r["ipCidrRange"] for r in subnet.get("secondaryIpRanges", ())))
    ]
    reserved = reader.list("compute", f"compute/v1/projects/{wanted.account}/global/addresses", "items")
    taken += [
        Taken(f"range {a['name']}", ipaddress.IPv4Network(f"{a['address']}/{a['prefixLength']}"))
        for a in reserved
        if a.get("purpose") == "VPC_PEERING" and foreign(a)
    ]
    yield from overlaps(wanted, taken)


def bucket_names(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the buckets' names, which the whole world shares, are free or the project's own."""
    names = wanted.named("gcp:storage/bucket:Bucket", "name")
    own: set[str] | None = None
    for name in names:
        try:
            found = reader.find("storage", f"storage/v1/b/{name}")
        except Unread as error:
            if "(403" not in error.why:
                yield unknown(name, error.why, error.remedy)
                continue
            try:
                if own is None:
                    items = reader.list("storage", "storage/v1/b", "items", {"project": wanted.account})
                    own = {str(bucket["name"]) for bucket in items}
            except Unread as unlisted:
                yield unknown(name, unlisted.why, unlisted.remedy)
                continue
            yield _held(name, own)
            continue
        if found is None:
            yield ok(name, "free")
        elif "projectNumber" not in found:
            yield unknown(
                name, "exists, and the answer does not say in whose project", f"gcloud storage ls gs://{name}"
            )
        elif str(found["projectNumber"]) == str(wanted.inventory.settings.get("project_number", "")):
            yield ok(name, "exists in this project")
        else:
            yield _held(name, set())


def _held(name: str, own: set[str]) -> Finding:
    if name in own:
        return ok(name, "exists in this project; the caller may not look into it")
    remedy = "Ask its owner to give it up, or bring the stack up in another project: names hold the project."
    return missing(name, "belongs to another project", remedy)


def key_rings(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether key rings and keys are there from before: neither can ever be deleted (Cloud KMS documentation, "Object
    hierarchy", read 2026-11-21), so a stack that was destroyed leaves them, and a new one must take them over."""
    for ring in wanted.inventory.of_type("gcp:kms/keyRing:KeyRing"):
        name = f"projects/{wanted.account}/locations/{ring.get('location')}/keyRings/{ring.get('name')}"
        subject = f"key ring {ring.get('name')} in {ring.get('location')}"
        try:
            found = reader.find("kms", f"v1/{name}")
            keys = reader.list("kms", f"v1/{name}/cryptoKeys", "cryptoKeys") if found else []
        except Unread as error:
            yield unknown(subject, error.why, error.remedy)
            continue
        if found is None:
            yield ok(subject, "not there: the stack makes it")
        elif not keys:
            yield missing(
                subject, "there from before, without keys", _import("gcp:kms/keyRing:KeyRing", ring.name, name)
            )
        else:
            yield ok(subject, f"there, with {len(keys)} keys; a stack that does not know it must import it")
        for key in keys:
            yield from _key(key)


def _key(key: Mapping[str, Any]) -> Iterator[Finding]:
    primary = key.get("primary", {})
    state = str(primary.get("state", "without a primary version"))
    if state in _LIVE or key.get("purpose") != "ENCRYPT_DECRYPT":
        return
    path = str(key["name"]).split("/")
    place = f"--location={path[3]} --keyring={path[5]} --key={path[7]}"
    version = str(primary.get("name", "")).rpartition("/")[2] or "VERSION"
    verb = "restore" if state == "DESTROY_SCHEDULED" else "enable" if state == "DISABLED" else ""
    remedy = (
        f"gcloud kms keys versions {verb} {version} {place}"
        if verb
        else f"gcloud kms keys versions create {place} --primary"
    )
    yield missing(f"key {path[7]} in {path[3]}", state.lower().replace("_", " "), remedy)


def _import(token: str, name: str, cloud_id: str) -> str:
    return f"pulumi import {token} {name} {quote(cloud_id, safe='/')}"
