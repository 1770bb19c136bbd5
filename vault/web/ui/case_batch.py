"""One step for all accounts of a case that are ready: one after the other, some seconds in each request.

Decided here: where it goes on stands in the form, so that a reload, or whoever has no JavaScript, goes on at the same
place, and what is done is not done twice. Each account has its own entry, as when it is done alone. Refusals are shown
and passed by; several in a row for the same reason end the pass.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.case import Form as Sort
from vault.domain.outlook import Standing
from vault.domain.plans.handover import AT
from vault.domain.policy import Permission
from vault.errors import Invalid, VaultError
from vault.services.case_views import Doing
from vault.services.case_words import Outcome
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import words_cases
from vault.web.ui.case_steps import STEP, days_for, ready, written
from vault.web.ui.case_together import together
from vault.web.ui.forms import OtpForm
from vault.web.ui.forms_cases import NoForm, WaiveForm, WordForm, evidence_form
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.case import Field, Step
    from vault.services.case_views import CaseWhole
    from vault.services.case_words import Answer
    from vault.web.ui.forms import Form

SECONDS: Final = 4.0
"""So long one request works, on one account at least; what it began it finishes."""
IN_A_ROW: Final = 3
PROPOSED: Final = "proposed"
"""For the step that plans a handover's days: each account its own free day."""
LINES: Final = "lines"
"""For a step that asks for one thing: each account its own, one a line."""
_APART: Final = re.compile(r"[\s,;=]+")
TOLD: Final = 20
_LONGEST: Final = 300


@dataclass(slots=True)
class Pass:
    """How far one pass over the accounts is; `after` is the position of the next one in the case's order."""

    after: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    over: bool = False
    stopped: str = ""


@blueprint.get(STEP + "/all")
@needs(Permission.CASE_READ)
def case_batch(case_id: object, step: str) -> AnyResponse:
    """Show how far a step is over all accounts, and what would be done for those that are ready."""
    whole = the_vault().cases.reading.whole(actor(), str(case_id))
    plan_step = whole.plan.step(step)
    if plan_step is None or not plan_step.per_account:
        return redirect(url_for("ui.case_page", case_id=case_id), 303)
    form = evidence_form(_fields(whole, plan_step, running=_runs(whole, plan_step)))(formdata=None)
    return batch_page(whole, plan_step, form, 200)


@blueprint.post(STEP + "/all")
@needs(Permission.CASE_READ)
def case_batch_go(case_id: object, step: str) -> AnyResponse:
    """Go on where the form says, for some seconds."""
    whole = the_vault().cases.reading.whole(actor(), str(case_id))
    plan_step = whole.plan.step(step)
    if plan_step is None or not plan_step.per_account:
        return redirect(url_for("ui.case_page", case_id=case_id), 303)
    running = request.form.get("how") == Doing.RUN
    form = evidence_form(_fields(whole, plan_step, running=running))()
    if not form.validate():
        return batch_page(whole, plan_step, form, INVALID)
    at = _read_pass()
    try:
        whole = _work(whole, plan_step, form, at, running=running)
    except VaultError as error:
        return refused(error, form, lambda status: batch_page(whole, plan_step, form, status))
    return batch_page(whole, plan_step, form, 200, at)


def _work(whole: CaseWhole, step: Step, form: WordForm, at: Pass, *, running: bool) -> CaseWhole:
    """Do the accounts from where the pass is; raise what is wrong with the evidence itself."""
    rooms, who, case_id = the_vault().cases, actor(), whole.scene.case.id
    own = _own(whole, step)
    wanted = Doing.RUN if running else Doing.SAY
    numbers = [each.account_id for each in whole.scene.places]
    end, fresh, codes = time.monotonic() + SECONDS, True, [""]
    tried = 0
    while at.after < len(numbers) and not at.stopped and (not tried or time.monotonic() < end):
        number = numbers[at.after]
        if not _is_ready(whole, step, number, wanted):
            if fresh or not _is_blocked(whole, step, number):
                at.after += 1
                continue
            # what was done in this pass may have opened it: a payer waits for its members
            whole, fresh = rooms.reading.whole(who, case_id), True
            continue
        tried += 1
        try:
            if running:
                rooms.acts.run(who, case_id, step.name, number, form.given())
            elif own is None:
                rooms.work.attest(who, case_id, step.name, number, form.given())
            elif number in own:
                rooms.work.attest(who, case_id, step.name, number, own[number])
            codes, fresh = [""], False
        except VaultError as error:
            if isinstance(error, Invalid) and own is None and error.code == "case.evidence":
                raise
            at.refused.append((number, error.detail))
            codes = [*codes, error.code] if codes[-1] == error.code else ["", error.code]
            at.stopped = error.detail if len(codes) > IN_A_ROW else ""
        at.after += 1
    at.over = at.after >= len(numbers)
    return rooms.reading.whole(who, case_id)


def _own(whole: CaseWhole, step: Step) -> dict[str, dict[str, str]] | None:
    """Give what each account has of its own; None where the same is said of all."""
    how = request.form.get("how")
    if how == PROPOSED:
        return {number: {AT: written(day)} for number, day in days_for(whole, step).items()}
    name = _single(whole, step)
    if how != LINES or not name:
        return None
    lines = [_APART.split(line.strip(), maxsplit=1) for line in request.form.get("lines", "").splitlines()]
    return {line[0]: {name: line[1].strip()} for line in lines if len(line) > 1}


def _single(whole: CaseWhole, step: Step) -> str:
    """Name the one thing that a step asks of each account, where it is one that differs; empty for all others."""
    asked = [each for each in whole.asks(step) if each.name != step.second_with]
    differs = len(asked) == 1 and asked[0].form in {Sort.EMAIL, Sort.TEXT, Sort.DATE}
    return asked[0].name if differs and step.second is None else ""


def _is_ready(whole: CaseWhole, step: Step, number: str, wanted: Doing) -> bool:
    item = whole.by_place.get((step.name, number))
    return item is not None and item.waits and wanted in whole.may(item)


def _is_blocked(whole: CaseWhole, step: Step, number: str) -> bool:
    item = whole.by_place.get((step.name, number))
    return item is not None and item.standing is Standing.BLOCKED


def batch_page(
    whole: CaseWhole,
    step: Step,
    form: Form,
    status: int,
    at: Pass | None = None,
    answers: tuple[Answer, ...] | None = None,
) -> Response:
    """Draw the page: after a pass with `at`, after a word on many with its `answers`."""
    items = [each for each in whole.items if each.step.name == step.name]
    running = _runs(whole, step) if at is None else request.form.get("how") == Doing.RUN
    asks = _fields(whole, step, running=running)
    asks_two = whole.asks(step)
    return page(
        "ui/case_batch.html",
        status,
        whole=whole,
        case=whole.scene.case,
        step=step,
        items=items,
        done=sum(each.standing in {Standing.DONE, Standing.WAIVED} for each in items),
        failed=[each for each in items if each.standing is Standing.FAILED],
        ready=ready(whole, step.name),
        running=running,
        runs=_runs(whole, step),
        needs_code=whole.needs_code(step),
        two=step.second is not None and not step.second_with,
        proposed=days_for(whole, step),
        single=_single(whole, step),
        lines=request.form.get("lines", ""),
        how=request.form.get("how", Doing.RUN.value if running else Doing.SAY.value),
        asks=asks,
        asks_two=asks_two,
        form=form,
        say=_asking(form, asks),
        together=together(whole, step, again=answers is None),
        first=_asking(form, asks_two),
        second=form if isinstance(form, OtpForm) else OtpForm(formdata=None),
        no=form if isinstance(form, NoForm) else NoForm(formdata=None),
        waive=form if isinstance(form, WaiveForm) else WaiveForm(formdata=None),
        answers=answers,
        Outcome=Outcome,
        at=at,
        goes_on=at is not None and not at.over and not at.stopped,
        told=words_cases,
    )


def _asking(form: Form, asked: tuple[Field, ...]) -> WordForm:
    """Give the form that was sent where it asks for all of this, else an empty one."""
    if isinstance(form, WordForm) and {each.name for each in asked} <= set(form.names):
        return form
    return evidence_form(asked)(formdata=None)


def _fields(whole: CaseWhole, step: Step, *, running: bool) -> tuple[Field, ...]:
    asked = whole.run_asks(step) if running else whole.asks(step)
    return tuple(each for each in asked if each.name != step.second_with)


def _runs(whole: CaseWhole, step: Step) -> bool:
    """Say whether the vault does it here, where it does not need a code for each account."""
    return step.acts and the_vault().cases.acts.able(whole.scene.case.kind, step.name)


def _read_pass() -> Pass:
    typed = request.form.get("after", "")
    after = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0  # noqa: PLR2004 - no case has so many accounts
    lines = [each.partition(" ") for each in request.form.getlist("refused")[:TOLD]]
    return Pass(after, [(number[:12], words[:_LONGEST]) for number, _, words in lines])
