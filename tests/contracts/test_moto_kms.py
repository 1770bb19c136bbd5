"""The tests' KMS keeps the rules of the real one where moto's own does not (`tests.support.moto_kms`).

Each rule is KMS's API reference's; a test of the vault that leans on one of them leans on this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support.moto_kms import (
    StrictKms,
    create_key,
    kms_client,
    loopback_kms,
    made_up_credentials,
    strict_kms,
)

REGION = "eu-central-1"
CONTEXT = {"a": "bc"}


@pytest.fixture(params=["in process", "over http"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str | None]:
    with made_up_credentials(), strict_kms():
        if request.param == "in process":
            with mock_aws():
                yield None
        else:
            with loopback_kms() as url:
                yield url


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=code)


def test_a_disabled_key_does_nothing_until_enabled_by_arn(endpoint: str | None) -> None:
    arn = create_key(REGION)
    kms = kms_client(arn, endpoint)
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    kms.disable_key(KeyId=arn)

    calls: list[Callable[[], object]] = [
        lambda: kms.encrypt(KeyId=arn, Plaintext=b"x"),
        lambda: kms.decrypt(KeyId=arn, CiphertextBlob=blob, EncryptionContext=CONTEXT),
        lambda: kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT),
        lambda: kms.generate_data_key(KeyId=arn, KeySpec="AES_256"),
        lambda: kms.generate_data_key_without_plaintext(KeyId=arn, KeySpec="AES_256"),
    ]
    for call in calls:
        with refused("DisabledException"):
            call()
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=arn)
    assert kms.decrypt(KeyId=arn, CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"x"


def test_a_key_pending_deletion_can_only_be_kept_and_then_enabled(endpoint: str | None) -> None:
    arn = create_key(REGION)
    kms = kms_client(arn, endpoint)
    with refused("ValidationException"):
        kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=6)
    assert kms.schedule_key_deletion(KeyId=arn)["PendingWindowInDays"] == 30

    calls: list[Callable[[], object]] = [
        lambda: kms.generate_data_key(KeyId=arn, KeySpec="AES_256"),
        lambda: kms.enable_key(KeyId=arn),
        lambda: kms.disable_key(KeyId=arn),
        lambda: kms.schedule_key_deletion(KeyId=arn),
    ]
    for call in calls:
        with refused("KMSInvalidStateException"):
            call()
    kms.cancel_key_deletion(KeyId=arn)
    with refused("DisabledException"):
        kms.generate_data_key(KeyId=arn, KeySpec="AES_256")
    with refused("KMSInvalidStateException"):
        kms.cancel_key_deletion(KeyId=arn)
    kms.enable_key(KeyId=arn)
    assert len(kms.generate_data_key(KeyId=arn, KeySpec="AES_256")["Plaintext"]) == 32


def test_a_deleted_key_is_not_found(endpoint: str | None) -> None:
    arn = create_key(REGION)
    StrictKms.delete_now(arn)

    with refused("NotFoundException"):
        kms_client(arn, endpoint).generate_data_key(KeyId=arn, KeySpec="AES_256")


@pytest.mark.parametrize("other", [{}, {"ab": "c"}, {"a": "bc", "d": ""}, {"A": "bc"}, {"a": "BC"}])
def test_another_context_does_not_open(endpoint: str | None, other: dict[str, str]) -> None:
    arn = create_key(REGION)
    kms = kms_client(arn, endpoint)
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]

    with refused("InvalidCiphertextException"):
        kms.decrypt(KeyId=arn, CiphertextBlob=blob, EncryptionContext=other)


def test_a_pinned_key_that_did_not_make_it_is_incorrect(endpoint: str | None) -> None:
    arn, other = create_key(REGION), create_key(REGION)
    kms = kms_client(arn, endpoint)
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]

    with refused("IncorrectKeyException"):
        kms.decrypt(KeyId=other, CiphertextBlob=blob)
    with refused("IncorrectKeyException"):
        kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=other, DestinationKeyId=other)
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=arn, DestinationKeyId=other)
    assert (moved["SourceKeyId"], moved["KeyId"]) == (arn, other)
    assert kms.decrypt(KeyId=other, CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"x"


@pytest.mark.parametrize("blob", [b"\0", b"x", b"\xff" * 200, b"\x24" + b"0" * 36])
def test_noise_is_no_ciphertext(endpoint: str | None, blob: bytes) -> None:
    arn = create_key(REGION)

    with refused("InvalidCiphertextException"):
        kms_client(arn, endpoint).decrypt(KeyId=arn, CiphertextBlob=blob)


def test_a_key_of_another_account_is_reached_by_its_arn(endpoint: str | None) -> None:
    arn = create_key(REGION, account="999988887777")
    kms = kms_client(arn, endpoint)

    assert kms.generate_data_key(KeyId=arn, KeySpec="AES_256")["KeyId"] == arn
    with refused("NotFoundException"):
        kms.generate_data_key(KeyId=arn.rsplit("/", 1)[1], KeySpec="AES_256")
    with refused("NotFoundException"):
        kms_client(create_key("us-east-1"), endpoint).describe_key(KeyId=arn)


def test_a_replica_opens_what_the_primary_sealed(endpoint: str | None) -> None:
    primary = create_key(REGION, multi_region=True)
    kms = kms_client(primary, endpoint)
    blob = kms.encrypt(KeyId=primary, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    replica = kms.replicate_key(KeyId=primary, ReplicaRegion="us-east-1")["ReplicaKeyMetadata"]["Arn"]
    there = kms_client(replica, endpoint)

    assert replica == primary.replace(REGION, "us-east-1")
    assert kms.decrypt(KeyId=primary, CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"x"
    assert there.decrypt(KeyId=replica, CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"x"
    assert kms.schedule_key_deletion(KeyId=primary)["KeyState"] == "PendingReplicaDeletion"


def test_faults_come_once_each_and_what_was_asked_is_seen() -> None:
    with made_up_credentials(), strict_kms() as hand, mock_aws():
        arn = create_key(REGION)
        kms = kms_client(arn)
        hand.fail_next("ThrottlingException")
        with refused("ThrottlingException"):
            kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=CONTEXT)
        kms.encrypt(KeyId=arn, Plaintext=b"x", EncryptionContext=CONTEXT)

        assert [(seen.operation, seen.key_arn, seen.context) for seen in hand.seen] == [
            ("Encrypt", arn, CONTEXT)
        ] * 2


def test_motos_own_rules_are_back_afterwards() -> None:
    with made_up_credentials(), mock_aws():
        with strict_kms():
            arn = create_key(REGION)
            kms_client(arn).disable_key(KeyId=arn)
        kms = kms_client(arn)

        assert kms.generate_data_key(KeyId=arn, KeySpec="AES_256")["Plaintext"]
