"""Upkeep: what has to be done about credentials, proofs by AWS itself, a drill, and what is left if all else is lost.

The recovery identity is made and split before anything is held, so that everything that is sealed afterwards is wrapped
for it as well. At the end a copy of the database is opened with three shares, without any service or key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.adapters.db.copying import copy_database
from vault.bootstrap.ground import open_keys
from vault.bootstrap.recovering import Wish as Regain
from vault.bootstrap.recovering import recover
from vault.bootstrap.rewrapping import drill_of
from vault.cli.admin.demo.stage import refused
from vault.crypto.recovery import NEEDED, SHARES, new_recipient
from vault.domain.actor import Role
from vault.domain.campaign import Parts
from vault.domain.campaign import Stage as Far
from vault.domain.credential import PartKind
from vault.domain.rotation import RotationState
from vault.ports.store import Slice
from vault.services.healths import HealthFilter
from vault.services.key_work import DrillScope
from vault.services.planning import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vault.bootstrap import Vault
    from vault.cli.admin.demo.cast import Cast, Player
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.stage import Stage
    from vault.cli.admin.demo.world import Ground
    from vault.domain.rotation import Rotation
    from vault.domain.secret import Secret

HANDS: Final = 4
"""Credentials that a drill opens side by side here."""


def split_identity(vault: Vault, stage: Stage, cast: Cast) -> tuple[Secret[str], ...]:
    """Make the offline recovery identity and let two administrators agree to its recipient; give the shares."""
    first, second = cast.of(Role.ADMIN), cast.of(Role.ADMIN, 1)
    with stage.step("A recovery identity is made offline, split, and forgotten") as told:
        made = new_recipient()
        told(f"{SHARES} shares of words on paper, any {NEEDED} of them open a backup; {made.recipient[:16]}…")
    with stage.step(f"{first.part.name} proposes its recipient, {second.part.name} agrees") as told:
        why = "So that a lost key service does not lose every customer's root."
        proposed = vault.recipients.propose(first.actor(vault), made.recipient, why, first.code())
        vault.proposals.confirm(second.actor(vault), proposed.id, second.code())
        told("the log proves which one counts; no host's settings do")
    return made.shares


def prove_by_aws(act: Act, rotation: Rotation) -> None:
    """Verify what a colleague did not: AWS itself recorded the change."""
    with act.stage.step("AWS's own record proves what no colleague verified") as told:
        proved = act.vault.proving.once()
        who = act.cast.of(Role.AUDITOR).actor(act.vault)
        done = act.vault.views.rotation(who, rotation.id).rotation
        if done.state is not RotationState.VERIFIED:
            raise AssertionError(f"{proved.verified} proven, and the rotation is {done.state}")
        told(done.evidence_note or "")


def keep_up(
    act: Act,
    who: Player,
    other: Player,
    grounds: tuple[Ground, Ground],
    place: tuple[Sequence[Secret[str]], Path],
) -> None:
    """Play all of it that is done while the vault is well, and then what is done when it is not."""
    look_at_the_board(act, other)
    campaign(act, who, other, grounds[0])
    drill(act)
    after_a_fire(act, grounds[1], *place)


def look_at_the_board(act: Act, who: Player) -> None:
    """Look at what has to be done."""
    with act.stage.step(f"{who.part.name} looks at the board of upkeep") as told:
        board = act.vault.board.page(who.actor(act.vault), HealthFilter(), None, Slice(50))
        counts = ", ".join(f"{count} {stage}" for stage, count in board.counts.items() if count)
        first = board.items[0].found
        told(f"{counts}; first {first.account.name}, {first.health.health}")


def campaign(act: Act, who: Player, other: Player, ground: Ground) -> None:
    """Let two people agree to a campaign, and finish it."""
    vault, stage = act.vault, act.stage
    first, second = act.cast.of(Role.APPROVER), act.cast.of(Role.APPROVER, 1)
    with stage.step(f"{first.part.name} plans a campaign, {second.part.name} agrees") as told:
        until = vault.clock.now() + timedelta(days=14)
        people = (who.actor(vault).id, other.actor(vault).id)
        why = "Rotate before the auditors come."
        wish = Wish("Before the audit", why, Parts.PASSWORD, until, 40, people, (ground.number,))
        proposed = vault.campaigns.propose(first.actor(vault), wish, first.code())
        vault.proposals.confirm(second.actor(vault), proposed.id, second.code())
        made = vault.campaigns.page(first.actor(vault), Slice(5)).items[0]
        told(
            f"{made.campaign.accounts} account for {len(people)} people, 40 an hour each until {until:%d %B}"
        )
    checkout = act.lease(who, ground, "CRED_ROTATE", "Rotate it in the campaign before the audit.")
    rotation = act.rotate_password(who, ground, checkout)
    act.check_in(who, checkout)
    act.verify(other, (rotation,))
    with stage.step("The campaign is done") as told:
        seen = vault.campaigns.get(first.actor(vault), made.campaign.id)
        if seen.at(Far.VERIFIED) != made.campaign.accounts:
            raise AssertionError("the campaign's account is not done")
        told(f"{seen.at(Far.VERIFIED)} of {made.campaign.accounts} rotated and proven")


def drill(act: Act) -> None:
    """Open every credential under each of its keys, and show none."""
    vault, stage = act.vault, act.stage
    first, second = act.cast.of(Role.ADMIN), act.cast.of(Role.ADMIN, 1)
    with stage.step(f"{first.part.name} and {second.part.name} agree to a drill") as told:
        why = "The drill of this quarter."
        proposed = vault.key_work.propose_drill(first.actor(vault), DrillScope.LIVE, why, first.code())
        vault.proposals.confirm(second.actor(vault), proposed.id, second.code())
        told("its purpose is in the log")
    with stage.step("Every credential is opened, and none is shown") as told:
        report = drill_of(vault, open_keys(vault.settings), HANDS).run(proposed.id)
        if not report.finished or report.failed or report.opened != report.values:
            raise AssertionError(f"{report.failed} of {report.values} did not open")
        wrapped = f"{report.offline} are wrapped for the recovery recipient as well"
        told(f"{report.opened} values of {report.accounts} accounts, {report.mails} of them mail; {wrapped}")


def after_a_fire(act: Act, ground: Ground, shares: Sequence[Secret[str]], directory: Path) -> None:
    """Open a copy of the database with three shares, and with nothing else; not with two."""
    copy = directory / "backup.db"
    why, by = "The quarter's exercise.", ("A. Custodian", "B. Custodian")
    wish = Regain(str(copy), (act.vault.vkey,), (ground.number,), why, by)
    with act.stage.step("A backup and two shares open nothing") as told:
        copy_database(act.vault.settings.database_url, copy)
        told(
            refused("recovery.shares", lambda: recover(wish, shares[:2], act.clock, lambda _done, _all: None))
        )
    with act.stage.step("A backup and three shares open everything, without keys or service") as told:
        regained = recover(wish, shares[1 : 1 + NEEDED], act.clock, lambda _done, _all: None).regained[0]
        password = next(each for each in regained.values if each.kind is PartKind.PASSWORD)
        if not act.console.takes(ground.number, password.plaintext):
            raise AssertionError(f"what was recovered of {ground.number} does not open it")
        told(f"{len(regained.values)} values of {ground.name}; AWS takes the password")
    copy.unlink()
