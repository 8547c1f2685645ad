"""Every operator of a condition, absent keys and several values are read as IAM's guide says."""

from __future__ import annotations

import pytest

from common.iam.conditions import Condition, holds, parse_operator
from common.iam.context import Told, Truth, Value


def ask(operator: str, values: list[str], given: Value) -> Truth:
    found = parse_operator(operator)
    assert found is not None
    return holds(Condition(found, "key", tuple(values)), Told({"key": given}))[0]


@pytest.mark.parametrize(
    ("operator", "values", "given", "expected"),
    [
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", ["a"], "A", False),
        ("StringEquals", ["a*"], "ab", False),
        ("StringEqualsIgnoreCase", ["a"], "A", True),
        ("StringNotEqualsIgnoreCase", ["a"], "A", False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringLike", ["a*"], "ab", True),
        ("StringLike", ["a?"], "abc", False),
        ("StringNotLike", ["a*"], "ab", False),
        ("NumericEquals", ["1.0"], "1", True),
        ("NumericNotEquals", ["1"], "2", True),
        ("NumericLessThan", ["1.2"], "1.1", True),
        ("NumericLessThan", ["1.2"], "1.2", False),
        ("NumericLessThanEquals", ["1.2"], "1.2", True),
        ("NumericGreaterThan", ["1"], "x", False),
        ("NumericGreaterThanEquals", ["1"], "1", True),
        ("DateLessThan", ["2026-11-22T00:00:00Z"], "2026-11-21T00:00:00Z", True),
        ("DateGreaterThan", ["2026-11-22T00:00:00Z"], "1700000000", False),
        ("DateEquals", ["1970-01-01T00:00:10Z"], "10", True),
        ("DateNotEquals", ["1970-01-01T00:00:10Z"], "10", False),
        ("DateLessThan", ["1e300"], "2026-11-21T00:00:00Z", False),
        ("Bool", ["true"], "TRUE", True),
        ("Bool", ["true"], "false", False),
        ("BinaryEquals", ["QQ=="], "QQ==", True),
        ("IpAddress", ["10.0.0.0/8"], "10.1.2.3", True),
        ("IpAddress", ["10.0.0.0/8"], "11.1.2.3", False),
        ("NotIpAddress", ["10.0.0.0/8"], "11.1.2.3", True),
        ("IpAddress", ["2001:db8::/32"], "2001:db8::1", True),
        ("ArnEquals", ["arn:aws:s3:::a*"], "arn:aws:s3:::ab", True),
        ("ArnLike", ["arn:aws:iam::*:role/a"], "arn:aws:iam::1:x:role/a", False),
        ("ArnNotEquals", ["arn:aws:s3:::a"], "arn:aws:s3:::a", False),
        ("ArnNotLike", ["arn:aws:s3:::a"], "arn:aws:s3:::b", True),
        ("Null", ["true"], None, True),
        ("Null", ["false"], None, False),
        ("Null", ["false"], "x", True),
    ],
)
def test_an_operator_compares_as_it_is_defined(
    operator: str, values: list[str], given: Value, expected: bool
) -> None:
    assert ask(operator, values, given) is (Truth.YES if expected else Truth.NO)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("ArnNotLike", True),
        ("NotIpAddress", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", False),
    ],
)
def test_a_key_that_the_request_lacks_counts_as_the_operator_says(operator: str, expected: bool) -> None:
    assert ask(operator, ["a"], None) is (Truth.YES if expected else Truth.NO)


@pytest.mark.parametrize(
    ("operator", "given", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "d"], False),
        ("ForAnyValue:StringNotEquals", ["a", "d"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAllValues:StringLike", ["a", "b"], True),
    ],
)
def test_several_values_of_a_request_are_quantified(operator: str, given: list[str], expected: bool) -> None:
    assert ask(operator, ["a", "b"], given) is (Truth.YES if expected else Truth.NO)


@pytest.mark.parametrize("name", ["StringIs", "NullIfExists", "ForSomeValues:StringEquals", "stringequals", ""])
def test_an_operator_that_iam_does_not_know_is_none(name: str) -> None:
    assert parse_operator(name) is None


def test_a_key_that_nobody_told_of_leaves_the_answer_open() -> None:
    operator = parse_operator("StringEqualsIfExists")
    assert operator is not None
    assert holds(Condition(operator, "other", ("a",)), Told({"key": "a"})) == (Truth.UNKNOWN, frozenset({"other"}))


def test_a_closed_beginning_tells_that_there_is_no_further_key() -> None:
    told = Told({"kms:EncryptionContext:a": "1", "kms:EncryptionContext:*": None})
    assert told.values("KMS:EncryptionContext:a") == ("1",)
    assert told.knows("kms:EncryptionContext:b")
    assert told.values("kms:EncryptionContext:b") is None
    assert not told.knows("kms:ViaService")
