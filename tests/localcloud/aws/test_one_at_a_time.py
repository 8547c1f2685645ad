"""Requests and late work take turns: moto's models are not made for threads."""

from __future__ import annotations

import subprocess
import sys
import threading

from localcloud.aws.late import LateWork

WATCHED = """
import threading, time
from localcloud.aws.context import AGENT_PATH
from localcloud.aws.eks.pods import Pods
from localcloud.aws.gateway import Gateway
from localcloud.aws.state import AwsState

inside, most = [], []

def chunks():
    inside.append(1)
    for _ in range(5):
        most.append(len(inside))
        time.sleep(0.002)
        yield b"."
    inside.pop()

class Slow:
    def send(self, start_response):
        start_response("200 OK", [])
        return chunks()

Pods.credentials = lambda self, environ: Slow()
state = AwsState("111122223333")
gateway = Gateway(state, "token")
asked = [threading.Thread(target=lambda: gateway({"PATH_INFO": AGENT_PATH}, lambda *_: None)) for _ in range(8)]
for each in asked:
    each.start()
for each in asked:
    each.join()
print(len(most), max(most))
"""
"""Eight requests at once, each answered in pieces; prints how many pieces there were, and how many requests at most
were being answered when one was made."""


def test_a_request_is_answered_to_its_end_before_the_next_begins() -> None:
    told = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["40", "1"]


def test_late_work_waits_for_the_request_that_is_being_answered() -> None:
    lock, done = threading.RLock(), threading.Event()
    work = LateWork("late", lock, window_s=0.0)
    with lock:
        work.later(done.set)
        assert not done.wait(0.1)
    assert done.wait(10)


def test_draining_does_what_waits_and_what_that_brings_in_its_order() -> None:
    lock, did = threading.RLock(), list[str]()
    work = LateWork("late", lock, window_s=0.0)

    def first() -> None:
        did.append("first")
        work.later(lambda: did.append("third"))

    with lock:
        work.later(first)
        work.later(lambda: did.append("second"))
        work.drain()
        assert did == ["first", "second", "third"]


def test_work_that_fails_does_not_keep_the_next_from_being_done() -> None:
    lock, did = threading.RLock(), list[str]()
    work = LateWork("late", lock, window_s=0.0)
    with lock:
        work.later(lambda: did.append("before"))
        work.later(lambda: did[99])  # type: ignore[arg-type,return-value] - it fails
        work.later(lambda: did.append("after"))
        work.drain()
    assert did == ["before", "after"]
