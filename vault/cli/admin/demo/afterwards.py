"""After the day: the customer says that they hold it, what we kept is destroyed, and nothing brings it back (H9, S30).

A backup that was taken before is put back at the end, in a directory of its own: the restored vault opens none of it.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Final

from audit.note import Verifier
from audit.pack import check_pack
from vault.bootstrap import open_vault
from vault.bootstrap.restoring import Wish, restore
from vault.cli.admin.demo.farewell import SIGNS, THEIRS
from vault.cli.admin.demo.stage import refused
from vault.cli.admin.demo.world import LEFT
from vault.domain.account import Custody
from vault.domain.actor import Origin
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.ids import new_id
from vault.domain.secret import Secret
from vault.services.asking import Ask
from vault.services.pack_writing import to_json
from vault.settings import FILE, parse_settings

if TYPE_CHECKING:
    from pathlib import Path

    from vault.bootstrap import Vault
    from vault.cli.admin.demo.farewell import Farewell
    from vault.cli.admin.demo.postbox import Postbox
    from vault.cli.admin.demo.scenes import Act

_LINK: Final = re.compile(r"/handover/([A-Za-z0-9_-]+)")
_THEIR_NETWORK: Final = "198.51.100.20"


def acknowledge(goodbye: Farewell, box: Postbox) -> None:
    """Let the signatory open their page, by a link and a code that go two ways, and say that they hold it."""
    act, vault = goodbye.act, goodbye.act.vault
    name, address = SIGNS, f"rosa@{THEIRS}"
    with act.stage.step(f"{name} gets a letter with a link; the code comes by phone") as told:
        made = vault.releases.links.make(goodbye.csm.actor(vault), goodbye.case.id, goodbye.csm.code())
        letter = box.newest(address)
        body = letter.get_body(("plain",))
        found = None if body is None else _LINK.search(body.get_content())
        if found is None:
            raise AssertionError("the letter has no link")
        told(f"“{letter['Subject']}”; either of the two alone opens nothing")
    link, origin = Secret(found[1]), Origin(request_id=new_id(), ip=_THEIR_NETWORK)
    with act.stage.step("The link with a wrong code shows nothing") as told:
        refused("handover.link", lambda: vault.releases.links.enter(link, "AAAA-AAAA", origin))
        told("handover.link, the same answer as for a link that never was")
    with act.stage.step(f"{name} reads what was done, and says that they hold all {len(LEFT)} roots") as told:
        visit = vault.releases.links.enter(link, made.code.expose(), origin)
        vault.releases.acknowledging.acknowledge(link, visit, name, origin)
        told("signed on their own page; the link opens nothing a second time")


def destroy(goodbye: Farewell) -> None:
    """Destroy what we kept, and show the certificate and that no door is left."""
    act, vault = goodbye.act, goodbye.act.vault
    with act.stage.step("What we kept of the three roots is destroyed, every wrap of it") as told:
        vault.releases.handed_over.once()
        left = _openable(vault)
        if left:
            raise AssertionError(f"still openable: {left}")
        certificate = vault.certificates.get(goodbye.csm.actor(vault), LEFT[0].number)
        told(f"certificate of destruction; backups are gone by {certificate.destroyed.backups_until:%d %B}")
    with act.stage.step("The evidence pack tells who did each step, and its proofs hold without us") as told:
        pack = vault.releases.packs.get(goodbye.csm.actor(vault), goodbye.case.id)
        proven = check_pack(to_json(pack), Verifier.parse(pack.vkey))
        by = {each.by for each in pack.steps}
        if (
            not any(each.startswith("machine ") for each in by)
            or goodbye.csm.part.name in to_json(pack).decode()
        ):
            raise AssertionError(f"told by {sorted(by)}")
        told(f"{len(pack.steps)} steps, {proven.entries} entries with their proofs; nobody of ours is named")
    with act.stage.step("Nobody opens it any more, not even by breaking the glass") as told:
        for ground in LEFT:
            ask = Ask(ground.number, "HANDOVER", "RV-2071", "Look at the root of a customer who left.")
            refused("custody.state", partial(vault.asking.ask, goodbye.operator.actor(vault), ask))
        told("custody.state: released")


def put_back(act: Act, directory: Path, backup: Path) -> None:
    """Restore the backup of before in another place, and look for what was destroyed."""
    place = directory / "after-a-disaster"
    with act.stage.step("That backup is restored elsewhere: the destructions are applied again") as told:
        shutil.copytree(directory / "data", place / "data")
        for name in ("policy.toml", "defaults.toml"):
            shutil.copyfile(directory / name, place / name)
        document = tomllib.loads((directory / FILE).read_text(encoding="utf-8"))
        settings = parse_settings(document, place, {})
        wish = Wish("The disk of the host is lost.", ("Maren Olsen", "Tobias Lindqvist"), backup=backup)
        steps = restore(settings, wish, lambda _done, _all: None, act.clock)
        if steps.restored is None or steps.restored.destroyed != len(LEFT):
            raise AssertionError("the restore did not apply the destructions")
        told(f"{steps.restored.destroyed} of {len(LEFT)} accounts, from the list outside the database")
    with act.stage.step("The restored vault opens none of it either") as told:
        for setting, value in steps.settings:
            section, _, name = setting.partition(".")
            document[section][name] = value
        again = open_vault(parse_settings(document, place, {}))
        try:
            left = _openable(again)
        finally:
            again.close()
        if left:
            raise AssertionError(f"openable after the restore: {left}")
        told("no ciphertext, no wrap; until it expires the file itself needs our keys, and is listed")


def _openable(vault: Vault) -> list[str]:
    """Name what is left of the three accounts that a key could open; what was emptied is one zero byte."""
    found = []
    with vault.units.read() as unit:
        for ground in LEFT:
            account = unit.accounts.get(ground.number)
            if account is None or account.custody is not Custody.RELEASED:
                found.append(f"{ground.number} is not released")
            versions = (each for kind in PartKind for each in unit.versions.of(ground.number, kind))
            found.extend(
                f"{each.kind} {each.number} of {ground.number}"
                for each in versions
                if each.label is not VersionLabel.DESTROYED or len(each.body) > 1 or len(each.wraps) > 1
            )
    return found
