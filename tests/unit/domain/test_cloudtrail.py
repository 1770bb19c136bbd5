"""Reading CloudTrail's records: AWS's own samples, and whatever else may come, without an exception."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.domain.cloudtrail import CloudKind, Kept, Ours, Passed, Skipped, parse
from vault.domain.observation import observe
from vault.domain.trail_text import NESTED_MAX, RECORD_MAX

KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
VAULT = "7f1f2a5e-7f64-4b5e-8d6c-0a8f3f3b1c11"
OURS = Ours("root-vault", VAULT, frozenset({KEY}))
CONTEXT = {"app": "root-vault", "vault": VAULT, "account": "111122223333", "kind": "password", "version": "3"}

SIGN_IN = json.loads(
    '{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"111122223333","arn":'
    '"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":""},"eventTime":'
    '"2026-11-20T23:13:43Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1",'
    '"sourceIPAddress":"203.0.113.10","userAgent":"Mozilla/5.0 ","requestParameters":null,"responseElements":'
    '{"ConsoleLogin":"Success"},"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home",'
    '"MobileVersion":"No","MFAIdentifier":"arn:aws:iam::111122223333:mfa/root-account-mfa-device","MFAUsed":"YES"},'
    '"eventID":"deb1e1f9-c99b-4612-8e9f-21f93b5d79c0","readOnly":false,"eventType":"AwsConsoleSignIn",'
    '"managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}'
)
RECOVERY = json.loads(
    '{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"111122223333","arn":'
    '"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":""},"eventTime":'
    '"2026-11-20T23:37:43Z","eventSource":"signin.amazonaws.com","eventName":"PasswordRecoveryCompleted",'
    '"awsRegion":"us-east-1","sourceIPAddress":"198.51.100.77","userAgent":"Mozilla/5.0","requestParameters":null,'
    '"responseElements":{"PasswordRecoveryCompleted":"Success"},"eventID":"9a8b7c6d-0002-4044-abbf-21c64EXAMPLE2",'
    '"eventType":"AwsConsoleSignIn","recipientAccountId":"111122223333"}'
)
ASSUME = json.loads(
    '{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","arn":'
    '"arn:aws:sts::999988887777:assumed-role/RootVaultBroker/rootvault","accountId":"999988887777","accessKeyId":'
    '"ASIAIOSFODNN7BROKER","sessionContext":{"sourceIdentity":"alice@msp.example"}},"eventTime":'
    '"2026-11-20T23:48:43Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRoot","awsRegion":"us-west-2",'
    '"sourceIPAddress":"192.0.2.1","requestParameters":{"targetPrincipal":"111122223333","taskPolicyArn":{"arn":'
    '"arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}},"responseElements":{"credentials":{"accessKeyId":'
    '"ASIAIOSFODNN7SESS01","expiration":"Nov 21, 2026, 12:03:43 AM"}},"eventType":"AwsApiCall","eventID":"e-3",'
    '"recipientAccountId":"999988887777"}'
)
FOLLOW_UP = json.loads(
    '{"eventVersion":"1.10","userIdentity":{"type":"Root","principalId":"111122223333","arn":'
    '"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7SESS01",'
    '"sessionContext":{"attributes":{"creationDate":"2026-11-20T23:48:43Z","mfaAuthenticated":"false"}}},'
    '"eventTime":"2026-11-20T23:49:43Z","eventSource":"s3.amazonaws.com","eventName":"DeleteBucketPolicy",'
    '"awsRegion":"us-west-2","sourceIPAddress":"192.0.2.1","requestParameters":{"bucketName":"cust-locked"},'
    '"eventType":"AwsApiCall","managementEvent":true,"eventID":"e-4","recipientAccountId":"111122223333"}'
)
DECRYPT: dict[str, Any] = {
    "eventID": "e-5",
    "eventName": "Decrypt",
    "eventSource": "kms.amazonaws.com",
    "awsRegion": "eu-central-1",
    "eventTime": "2026-11-20T23:49:43Z",
    "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/x/y"},
    "recipientAccountId": "123456789012",
    "requestID": "r-1",
    "requestParameters": {"encryptionContext": CONTEXT, "keyId": KEY},
    "resources": [{"ARN": KEY, "accountId": "123456789012", "type": "AWS::KMS::Key"}],
}


def kept(raw: object) -> Kept:
    found = parse(raw, OURS)
    assert isinstance(found, Kept), found
    return found


def test_awss_samples_are_read() -> None:
    sign_in = kept(SIGN_IN).record
    assert (sign_in.kind, sign_in.mfa, sign_in.error, sign_in.ip) == (
        CloudKind.SIGN_IN,
        True,
        None,
        "203.0.113.10",
    )
    assert kept(RECOVERY).record.kind is CloudKind.RECOVERY
    session, use = kept(ASSUME).record, kept(FOLLOW_UP).record
    assert (session.kind, session.account_id) == (CloudKind.ASSUME_ROOT, "111122223333")
    assert (use.kind, use.access_key, use.mfa) == (CloudKind.ROOT_USE, session.access_key, False)
    decrypt = kept(DECRYPT).record
    assert (decrypt.kind, decrypt.account_id, decrypt.keys) == (CloudKind.KEY_USE, "111122223333", (KEY,))
    assert decrypt.context == CONTEXT


@pytest.mark.parametrize(("told", "mfa"), [("Yes", True), ("YES", True), ("No", False), (1, None)])
def test_mfa_is_told_in_any_case(told: object, mfa: bool | None) -> None:
    assert kept(SIGN_IN | {"additionalEventData": {"MFAUsed": told}}).record.mfa is mfa


@pytest.mark.parametrize(
    "change",
    [
        {"userIdentity": SIGN_IN["userIdentity"] | {"type": "IAMUser"}},
        {"eventType": "AwsServiceEvent"},
        {"userIdentity": SIGN_IN["userIdentity"] | {"invokedBy": "AWS Internal"}},
    ],
)
def test_what_root_did_not_do_is_passed(change: dict[str, Any]) -> None:
    assert isinstance(parse(SIGN_IN | change, OURS), Passed)


def test_a_failed_sign_in_is_told() -> None:
    failed = {"responseElements": {"ConsoleLogin": "Failure"}, "errorMessage": "Failed authentication"}
    assert kept(SIGN_IN | failed).record.error == "Failed authentication"
    assert kept(SIGN_IN | {"responseElements": {"ConsoleLogin": "Failure"}}).record.error == "Failure"


@pytest.mark.parametrize(
    ("asked", "ours"),
    [
        ({"keyId": KEY}, True),
        ({"keyId": KEY.rpartition("/")[2]}, True),
        ({"keyId": KEY, "encryptionContext": {"app": "other"}}, True),
        ({"keyId": "alias/x", "encryptionContext": CONTEXT}, True),
        ({"sourceKeyId": KEY, "destinationKeyId": "alias/x"}, True),
        ({"sourceKeyId": "alias/x", "destinationEncryptionContext": CONTEXT}, True),
        ({"keyId": "alias/x", "encryptionContext": CONTEXT | {"vault": "another"}}, False),
        ({"keyId": "alias/x"}, False),
        (None, False),
    ],
)
def test_a_use_is_ours_by_key_or_by_context(asked: dict[str, Any] | None, ours: bool) -> None:
    found = parse(DECRYPT | {"requestParameters": asked, "resources": None}, OURS)
    assert isinstance(found, Kept if ours else Passed)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"eventID": "a\nb"}, "id"),
        ({"eventID": "x" * 65}, "id"),
        ({"eventID": None}, "id"),
        ({"eventTime": "2026-11-20T23:49:43.000Z"}, "time"),
        ({"eventTime": "2026-02-30T23:49:43Z"}, "time"),
        ({"eventTime": 7}, "time"),
        ({"eventName": "De\u0000crypt"}, "name"),
        ({"awsRegion": "eu central"}, "name"),
        ({"recipientAccountId": "12345678901\uff12"}, "account"),
    ],
)
def test_what_aws_would_not_write_is_skipped_with_a_reason(change: dict[str, Any], reason: str) -> None:
    assert parse(DECRYPT | change, OURS) == Skipped(reason)


def test_what_a_caller_can_choose_never_hides_a_record() -> None:
    hostile = "\u202e\x1b[2J\n" + "x" * 300_000
    deep: Any = "x"
    for _ in range(900):
        deep = {"a": [deep]}
    for raw in (
        SIGN_IN | {"userAgent": hostile, "sourceIPAddress": hostile},
        SIGN_IN | {"requestParameters": deep},
        FOLLOW_UP | {"errorMessage": hostile, "requestParameters": {"x": hostile}},
        DECRYPT | {"userAgent": hostile, "additionalEventData": {str(n): hostile for n in range(3)}},
    ):
        found = kept(raw)
        record = found.record
        assert record.record.isascii()
        assert record.who.isprintable()
        assert record.ip.isprintable()
        # what is kept of it reads as the same again
        again = kept(json.loads(record.record)).record
        for name in (
            "event_id",
            "kind",
            "account_id",
            "who",
            "mfa",
            "keys",
            "context",
            "access_key",
            "happened_at",
        ):
            assert getattr(again, name) == getattr(record, name), name
        assert len(record.record) <= max(RECORD_MAX, 65_536)


@pytest.mark.parametrize("depth", [NESTED_MAX - 4, 500, 940, 5_000])
def test_a_record_that_a_reader_with_less_room_could_not_read_again_is_not_kept_whole(depth: int) -> None:
    """A record lies where every page of health reads it: one that is too deep would stop them all."""
    deep: Any = {}
    for _ in range(depth):
        deep = {"x": deep}
    found = kept(SIGN_IN | {"requestParameters": deep}).record
    assert ("trimmedByTheVault" in found.record) is (depth > NESTED_MAX)
    assert max(accumulate((each in "[{") - (each in "]}") for each in found.record)) <= NESTED_MAX
    assert observe(found) is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_anything_is_read_without_an_exception(value: object) -> None:
    assert isinstance(parse(value, OURS), Skipped | Passed | Kept)


@given(st.sampled_from([SIGN_IN, RECOVERY, ASSUME, FOLLOW_UP, DECRYPT]), st.data())
def test_a_record_with_any_members_replaced_is_read_without_an_exception(
    raw: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(raw)))
    found = parse(raw | {name: data.draw(json_values)}, OURS)
    assert isinstance(found, Skipped | Passed | Kept)
