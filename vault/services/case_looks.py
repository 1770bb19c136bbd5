"""A person's word that something of ours is gone at AWS, held against what AWS has (H7, H8).

Decided here: where the vault can look, it looks before one person's word counts. What AWS still lists refuses the
word; what it lists no more confirms it, and that stays with the step; where AWS does not say, or not all of it, the
word takes another person. A look changes nothing and crosses the network: it is made before the word's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.outlook import Standing, item
from vault.domain.policy import Permit
from vault.errors import VaultError
from vault.services.case_kinds import Work

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.domain.case import Scene
    from vault.services.case_ground import CaseGround
    from vault.services.case_kinds import Act

_SEEN: Final = "AWS was asked, and lists nothing of ours there any more"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look told: `left` is what AWS still lists; `sure`, that it answered for all and nothing is left."""

    words: str
    left: tuple[str, ...] = ()
    sure: bool = False


def look(ground: CaseGround, actor: Actor, case_id: str, step: str, account_id: str) -> Look | None:
    """Look where somebody is about to say that a step is done; None where there is nothing to look through.

    Nobody causes a look who could not say the word: whether they may is decided, and recorded, with the word itself.
    """
    found = _act(ground, actor, case_id, step, account_id)
    if found is None:
        return None
    act, scene = found
    try:
        seen = act.preview(Work(actor, scene, account_id))
    except VaultError as failure:
        return Look(f"AWS could not be asked: {failure.detail}")
    if seen.goes:
        return Look("", left=seen.goes)
    return Look(seen.words) if seen.words else Look(_SEEN, sure=True)


def _act(
    ground: CaseGround, actor: Actor, case_id: str, step: str, account_id: str
) -> tuple[Act, Scene] | None:
    now = ground.clock.now()
    with ground.units.read() as unit:
        case = unit.cases.get(case_id)
        act = None if case is None else ground.looks.get((case.kind, step))
        if case is None or act is None or not case.is_open:
            return None
        scene = unit.cases.scene(case)
    plan = ground.kinds[case.kind].plan
    of_plan = plan.step(step)
    found = None if of_plan is None else item(plan, scene, of_plan, account_id, now, ground.day)
    if found is None or found.standing not in {Standing.OPEN, Standing.FAILED, Standing.ASKED}:
        return None
    decision = ground.gate.policy.decide(actor, found.step.by, scene.customer.id, account_id)
    return (act, scene) if isinstance(decision, Permit) else None
