"""AWS's own records in the evidence of a checkout: what matched, what AWS did not record, what root did afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.moto_kms import create_key, loopback_kms, made_up_credentials, strict_kms
from tests.support.trails import recording
from tests.support.watch import Watch, watched
from tests.support.world import START
from vault.services.evidence_cloud import RecordsOfAws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World
    from vault.services.evidence import Matched


@pytest.fixture
def watch(world: World, tmp_path: Path) -> Iterator[Watch]:
    """Lend a vault on KMS under watch."""
    with strict_kms(), made_up_credentials(), loopback_kms() as url:
        keys = (create_key("eu-central-1"), create_key("us-east-1", account="999988887777"))
        with recording(lambda: START) as recorder:
            yield watched(world, recorder, tmp_path / "trail", keys, url)


def told(watch: Watch, checkout_id: str) -> Matched:
    evidences = replace(watch.vault.evidences, cloud=RecordsOfAws(watch.reconciliation()))
    return evidences.of_checkout(watch.auditor, checkout_id).cloud


def test_without_a_source_the_evidence_says_so(watch: Watch) -> None:
    lease = watch.reveal()
    found = watch.vault.evidences.of_checkout(watch.auditor, lease.id).cloud
    assert "No source of AWS's records is configured" in found.words
    assert found.lines == ()


def test_no_call_of_a_key_is_told_in_words(watch: Watch) -> None:
    lease = watch.world.lease(watch.alice, reason="CRED_ROTATE")
    found = told(watch, lease.id)
    assert found.words.startswith(
        "None of AWS's records belong to this checkout, and its entries tell of no call"
    )
    assert "0 of 0" not in found.words


def test_what_aws_recorded_is_told_and_what_it_did_not_yet(watch: Watch) -> None:
    lease = watch.reveal()
    watch.run()
    before = told(watch, lease.id)
    assert "nothing was delivered yet" in before.words
    assert ["not seen among AWS's records yet" in line for line in before.lines] == [True]
    watch.deliver()
    watch.run()
    after = told(watch, lease.id)
    assert "1 of AWS's records belongs to this checkout" in after.words
    assert "1 of 1 calls of a key" in after.words
    (line,) = after.lines
    assert "key used, Decrypt" in line
    assert "belongs to entry:" in line
    assert after.unexplained == 0
