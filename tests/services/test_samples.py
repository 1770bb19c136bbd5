"""Samples: complete populations, choices that follow from seed and log alone, and an entry for each drawing."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipt import InclusionReceipt
from tests.support.people import House
from vault.domain.actor import Role, Scope, ScopeKind
from vault.errors import Forbidden, Invalid, NotFound
from vault.ports.store import EntryFilter
from vault.services.exports import Format, Wish
from vault.services.samples import Drawing, Sample, write

if TYPE_CHECKING:
    from pathlib import Path

    from vault.domain.actor import Actor

FIRST, SECOND = "111122223333", "444455556666"
CHECKOUTS = EntryFilter(types=("checkout.requested", "checkout.granted"))


@pytest.fixture
def auditor(house: House) -> Actor:
    """Be an auditor of everything, in a vault where a little has happened."""
    olga = house.world.human("olga", Role.OPERATOR)
    for number in (FIRST, SECOND):
        house.world.held(number)
    for turn in range(8):
        lease = house.world.lease(olga, (FIRST, SECOND)[turn % 2], "CRED_ROTATE")
        house.vault.checkouts.check_in(olga.actor, lease.id)
        house.world.clock.advance(minutes=10)
    return house.world.human("uma", Role.AUDITOR).actor


def files_of(sample: Sample) -> dict[str, bytes]:
    file = io.BytesIO()
    write(sample, file)
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]  # files only


def bundle(house: House, auditor: Actor, path: Path) -> Path:
    copy = house.vault.exports.begin(auditor, Wish(Format.BUNDLE))
    path.write_bytes(b"".join(copy.chunks))
    return path


def by_hand(house: House, seed: str, n: int, types: tuple[str, ...], size: int) -> tuple[int, list[int]]:
    """Draw without any of the vault's code: from the leaves as they stand."""
    ranked: list[tuple[bytes, int]] = []
    with house.vault.units.read() as unit:
        for index in range(size):
            entry = unit.log.entry(index)
            assert entry is not None
            if json.loads(entry.leaf)["type"] in types:
                leaf_hash = hashlib.sha256(b"\0" + entry.leaf).digest()
                ranked.append((hashlib.sha256(f"{seed}\n".encode() + leaf_hash).digest(), index))
    return len(ranked), [index for _, index in sorted(ranked)[:n]]


def test_a_sample_is_drawn_as_it_is_documented(house: House, auditor: Actor) -> None:
    sample = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, n=5, seed="2026-Q3"))
    size = sample.told["tree_size"]
    assert (sample.count, [item.entry.index for item in sample.items]) == by_hand(
        house, "2026-Q3", 5, CHECKOUTS.types, size
    )
    assert sample.count == 16
    again = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, n=5, seed="2026-Q3"))
    assert [item.entry.index for item in again.items] == [item.entry.index for item in sample.items]
    other = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, n=5, seed="another"))
    assert [item.entry.index for item in other.items] != [item.entry.index for item in sample.items]
    all_of_it = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, n=500))
    assert len(all_of_it.items) == sample.count


def test_anybody_draws_it_again_from_a_bundle(house: House, auditor: Actor, tmp_path: Path) -> None:
    since = house.world.clock.now() - timedelta(minutes=45)
    wanted = EntryFilter(types=CHECKOUTS.types, since=since, text="A TASK", reason="CRED_ROTATE")
    log, told = tmp_path / "log.tar", dict[str, Any]()
    command = [sys.executable, "-I", "redo_sample.py", str(log), "population.json"]
    for drawing in (Drawing(CHECKOUTS, n=3), Drawing(wanted, n=2, seed="s"), Drawing(EntryFilter(), n=7)):
        sample = house.vault.samples.draw(auditor, drawing)
        for name, content in files_of(sample).items():
            (tmp_path / name.removeprefix("sample/")).write_bytes(content)
        bundle(house, auditor, log)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert f"The same: {sample.count} entries" in done.stdout
        told = json.loads((tmp_path / "population.json").read_text())
        changes: list[dict[str, Any]] = [{"count": told["count"] - 1}, {"items": told["items"][1:]}]
        if sample.count > 10:  # of few, another seed may well draw the same
            changes.append({"seed": "better"})
        for changed in changes:
            (tmp_path / "population.json").write_text(json.dumps(told | changed))
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 1, changed
    whole = json.dumps(told)
    broken = (
        "{",
        "[]",
        "{}",
        whole[:-9],
        json.dumps(told | {"filter": {}}),
        json.dumps(told | {"items": [1]}),
    )
    for text in (*broken, json.dumps(told | {"filter": told["filter"] | {"types": 7}}), "[" * 100_000):
        (tmp_path / "population.json").write_text(text)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert done.stderr.startswith("'population.json' is no population of a sample: ")
    (tmp_path / "population.json").write_text(whole)
    log.write_bytes(log.read_bytes()[:700])
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_every_item_is_proven_under_the_one_checkpoint(house: House, auditor: Actor) -> None:
    sample = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, n=4))
    found = files_of(sample)
    assert found["sample/checkpoint"].decode() == sample.checkpoint
    for item in sample.items:
        proof = found[f"sample/entry-{item.entry.index}.tlog-proof"].decode()
        leaf = found[f"sample/entry-{item.entry.index}.json"]
        assert proof.endswith(sample.checkpoint)
        InclusionReceipt.parse(proof).check(leaf_hash(leaf), Verifier.parse(house.vault.vkey))
    assert len(found) == 4 + 2 * len(sample.items)


def test_each_drawing_is_an_entry_that_names_it(house: House, auditor: Actor) -> None:
    sample = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, n=4))
    (entry,) = house.events("audit.sampled")
    detail: Any = entry["detail"]
    assert detail["seed"] == sample.told["seed"]
    assert detail["drawn_by"] == "the vault"
    assert (detail["population"], detail["n"], detail["tree_size"]) == (16, 4, sample.told["tree_size"])
    assert detail["type"] == "checkout.requested,checkout.granted"
    written = files_of(sample)["sample/population.json"]
    assert detail["population_sha256"] == hashlib.sha256(written).hexdigest()
    assert sample.receipt.index == entry["seq"] >= sample.told["tree_size"]


def test_a_customers_population_is_that_of_its_accounts(house: House, auditor: Actor) -> None:
    with house.vault.units.read() as unit:
        account = unit.accounts.get(FIRST)
    assert account is not None
    whole = house.vault.samples.draw(auditor, Drawing(CHECKOUTS, customer_id=account.customer_id, n=500))
    assert whole.told["filter"]["accounts"] == [FIRST, SECOND]
    part = house.world.human("part", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, FIRST)).actor
    sample = house.vault.samples.draw(part, Drawing(CHECKOUTS, n=500))
    assert sample.told["filter"]["accounts"] == [FIRST]
    assert {item.entry.content["account"]["id"] for item in sample.items} == {FIRST}  # type: ignore[index]  # each is about one
    assert sample.count == 8
    for drawing in (
        Drawing(EntryFilter(account_id=SECOND)),
        Drawing(CHECKOUTS, customer_id="00000000-0000-4000-8000-000000000001"),
    ):
        with pytest.raises(NotFound):
            house.vault.samples.draw(part, drawing)


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing(CHECKOUTS, n=0),
        Drawing(CHECKOUTS, n=501),
        Drawing(CHECKOUTS, seed="two words"),
        Drawing(CHECKOUTS, seed="ü"),
        Drawing(CHECKOUTS, seed=""),
    ],
)
def test_what_cannot_be_drawn_again_is_refused(house: House, auditor: Actor, drawing: Drawing) -> None:
    with pytest.raises(Invalid):
        house.vault.samples.draw(auditor, drawing)
    assert house.events("audit.sampled") == []


def test_who_may_not_take_copies_draws_nothing(house: House, auditor: Actor) -> None:
    operator = house.world.human("olga", Role.OPERATOR).actor
    with pytest.raises(Forbidden):
        house.vault.samples.draw(operator, Drawing(CHECKOUTS))
    assert house.events("access.denied")
    assert auditor.id != operator.id


def test_anothers_customer_is_as_absent_as_none_and_both_are_entries(house: House) -> None:
    """One answer for both, and the attempts stand in the log alike (S21)."""
    theirs = house.world.held(FIRST)
    part = house.world.human("part", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, SECOND)).actor
    told = []
    for name in (theirs.customer_id, "00000000-0000-4000-8000-00000000ffff"):
        with pytest.raises(NotFound) as caught:
            house.vault.samples.draw(part, Drawing(CHECKOUTS, customer_id=name))
        detail = house.events("access.denied")[0]["detail"]
        assert isinstance(detail, dict)
        told.append((caught.value.detail.replace(name, "X"), str(sorted(detail.items())).replace(name, "X")))
    assert told[0] == told[1]
    assert len(house.events("access.denied")) == 2
