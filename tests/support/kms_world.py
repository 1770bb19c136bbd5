"""A world of two KMS keys in two accounts and regions, as the vault uses them, with its ring."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from moto import mock_aws

from tests.support.moto_kms import StrictKms, create_key, kms_client, made_up_credentials, strict_kms
from vault.adapters.kms import KmsKeys


@dataclass(frozen=True)
class KmsWorld:
    """Two KMS keys, their ring, and the test's hand on KMS."""

    kms: StrictKms
    first: str
    second: str
    ring: KmsKeys

    def switch(self, arn: str, operation: str, **parameters: object) -> None:
        """Do something to a key as its owner would (``disable_key``, ``schedule_key_deletion``)."""
        getattr(kms_client(arn), operation)(KeyId=arn, **parameters)


@contextlib.contextmanager
def kms_world() -> Iterator[KmsWorld]:
    """Make the world in this process."""
    with strict_kms() as kms, made_up_credentials(), mock_aws():
        first, second = create_key("eu-central-1"), create_key("us-east-1", account="999988887777")
        yield KmsWorld(kms, first, second, KmsKeys((first, second), environment={}))
