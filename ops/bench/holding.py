"""What a drill does with the objects of a bucket, in a process of its own whose memory is looked at.

python -m ops.bench.holding ENDPOINT REGION SOURCE TARGET    read all, copy all, read the copies, plant faults
"""

from __future__ import annotations

import sys

from common.target import Target
from ops.drill.before import objects_in
from ops.drill.controls import object_controls
from ops.drill.judging import failure
from ops.drill.restoring import check_objects, copy_all, read_objects
from ops.objects.opening import open_store


def main(endpoint: str, region: str, source: str, target: str) -> int:
    """Carry it out; 1 if a check fails."""
    cloud = Target("local", "emulated", aws_endpoint_url=endpoint)
    primary, restored = (open_store(f"s3://{bucket}", cloud, region) for bucket in (source, target))
    expected = objects_in(primary)
    copy_all(primary, restored)
    digests = read_objects(restored, expected)
    found = [check_objects(restored, expected, digests)]
    for control in object_controls(restored, expected, digests):
        found += control.undone
    return int(any(map(failure, found)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
