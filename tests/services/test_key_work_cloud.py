"""Re-wraps and drills on KMS: each call is explained by an entry, a lost key loses nothing, a disabled one stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.key_work import Changing
from tests.support.moto_kms import StrictKms, create_key, kms_client
from tests.support.replay import check_replay
from tests.support.trails import recording
from tests.support.watch import Watch, watched
from tests.support.world import START
from vault.adapters.kms import KmsKeys
from vault.errors import KeysDisabled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World


@dataclass(frozen=True)
class OnKms:
    """A vault under watch, and keys that it may move to."""

    watch: Watch
    url: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def changing(self) -> Changing:
        """Give it as one whose keys change."""
        return Changing(self.watch.world, self.watch.folder)

    def keys(self, *sealing: str, retiring: tuple[str, ...] = ()) -> KmsKeys:
        """Give keys as settings would name them."""
        return KmsKeys(sealing, retiring=retiring, endpoint=self.url, read_timeout=20.0)


@pytest.fixture
def on_kms(quick_world: World, tmp_path: Path, kms: tuple[str, tuple[str, ...]]) -> Iterator[OnKms]:
    """Hold an account under two keys of KMS that are the test's own to lose; two more, in other accounts, are there."""
    url, _ = kms
    old = (create_key("eu-central-1"), create_key("us-east-1", account="999988887777"))
    new = (create_key("eu-west-1"), create_key("us-west-2", account="777766665555"))
    with recording(lambda: START) as recorder:
        yield OnKms(watched(quick_world, recorder, tmp_path / "trail", old, url), url, old, new)
    check_replay(quick_world)


def test_every_call_of_a_rewrap_and_of_a_drill_is_explained_by_its_entry(on_kms: OnKms) -> None:
    watch, changing = on_kms.watch, on_kms.changing
    keys = on_kms.keys(*on_kms.new, retiring=on_kms.old)
    report = changing.rewrapping(keys).run(changing.agreed(keys=on_kms.new).id, remove_old=True)
    drilled = changing.drill(on_kms.keys(*on_kms.new)).run(changing.agreed_drill().id)
    assert (report.complete, report.removed, drilled.opened, drilled.failed) == (True, 2, 2, 0)
    assert drilled.keys == dict.fromkeys(on_kms.new, 2)
    watch.keys = (*on_kms.old, *on_kms.new)
    records = list(watch.recorder.records)
    watch.deliver()
    counts = watch.run()
    assert (counts.unmatched, counts.missing, counts.opened) == (0, 0, 0)
    assert counts.matched == len(records)
    by_request = {record["requestID"] for record in records}
    sealed = 4
    assert len(by_request) == sealed + sum(report.calls.values()) + sum(drilled.calls.values())
    assert {str(watch.matched(record["eventID"])).partition(":")[0] for record in records} == {"entry"}


def test_a_lost_key_is_replaced_by_what_the_other_one_opens(on_kms: OnKms, strict: StrictKms) -> None:
    first, second = on_kms.old
    strict.delete_now(first)
    changing = on_kms.changing
    keys = on_kms.keys(second, on_kms.new[0])
    report = changing.rewrapping(keys).run(changing.agreed(keys=(second, on_kms.new[0])).id, remove_old=True)
    assert (report.complete, report.old_left) == (True, 0)
    assert set(changing.wraps()) == {(second, on_kms.new[0])}
    assert changing.drill(keys).run(changing.agreed_drill().id).failed == 0


def test_a_new_key_that_is_disabled_stops_it_before_anything_is_removed(on_kms: OnKms) -> None:
    changing = on_kms.changing
    proposal = changing.agreed(keys=on_kms.new)
    wanted = on_kms.keys(*on_kms.new, retiring=on_kms.old)
    kms_client(on_kms.new[1], on_kms.url).disable_key(KeyId=on_kms.new[1])
    with pytest.raises(KeysDisabled):
        changing.rewrapping(wanted).run(proposal.id, remove_old=True)
    assert set(changing.wraps()) == {on_kms.old}
    kms_client(on_kms.new[1], on_kms.url).enable_key(KeyId=on_kms.new[1])
    assert changing.rewrapping(wanted).run(proposal.id, remove_old=True).removed == 2
    assert set(changing.wraps()) == {on_kms.new}
