"""One step of a case as a page: what is asked, who said what, words of two people, and what the vault does at AWS.

Decided here: which forms stand there, by what the use case lets the reader do. Which account it is about stands in the
address, so that what a passkey signs names it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from flask import redirect, request, url_for

from vault.domain.case import CaseKind
from vault.domain.case import Form as Sort
from vault.domain.plans.handover import AT, DAY
from vault.domain.plans.move import MOVE
from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.services.case_views import Doing
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import words_cases
from vault.web.ui.cases import target_of
from vault.web.ui.forms import Form
from vault.web.ui.forms_cases import NoForm, SecondForm, WaiveForm, WordForm, evidence_form
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.actor import Actor
    from vault.domain.case import Step
    from vault.domain.outlook import Item
    from vault.services.case_kinds import Preview
    from vault.services.case_views import CaseWhole
    from vault.services.moving import Foreseen

STEP: Final = "/cases/<uuid:case_id>/steps/<step>"
About: TypeAlias = "tuple[Actor, str, str, str]"
"""Who says it, and of what: the case, the step, the account (empty: of the whole case)."""
ACTIONS: Final = "/<any('say', 'run', 'look', 'agree', 'disagree', 'waive'):_act>"


@blueprint.get(STEP)
@needs(Permission.CASE_READ)
def case_step(case_id: object, step: str) -> Response:
    """Show one step of the case, or of the account that the address names."""
    return _step(str(case_id), step, Form(formdata=None), 200)


@blueprint.get(STEP + ACTIONS)
@needs(Permission.CASE_READ)
def case_step_back(case_id: object, step: str, _act: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return _back(str(case_id), step)


@blueprint.post(STEP + "/say")
@needs(Permission.CASE_READ)
def case_step_say(case_id: object, step: str) -> AnyResponse:
    """Say that it is done, with its evidence."""
    whole, item = _found(str(case_id), step)
    form = evidence_form(whole.asks(item.step))()
    attest = the_vault().cases.work.attest
    return _do(case_id, step, form, lambda about: attest(*about, form.given(), form.otp.data or ""))


@blueprint.post(STEP + "/run")
@needs(Permission.CASE_READ)
def case_step_run(case_id: object, step: str) -> AnyResponse:
    """Have the vault do it at AWS."""
    whole, item = _found(str(case_id), step)
    form = evidence_form(whole.run_asks(item.step))()
    run = the_vault().cases.acts.run
    return _do(case_id, step, form, lambda about: run(*about, form.given()), running=True)


@blueprint.post(STEP + "/look")
@needs(Permission.CASE_READ)
def case_step_look(case_id: object, step: str) -> AnyResponse:
    """Show what the vault would do, and what stays."""
    form, name = Form(), str(case_id)
    try:
        preview = the_vault().cases.acts.preview(actor(), name, step, _account())
    except VaultError as error:
        return refused(error, form, lambda status: _step(name, step, form, status))
    return _step(name, step, form, 200, preview=preview)


@blueprint.post(STEP + "/agree")
@needs(Permission.CASE_READ)
def case_step_agree(case_id: object, step: str) -> AnyResponse:
    """Say the second word, on what was looked at."""
    form = SecondForm()
    agree = the_vault().cases.work.agree
    return _do(case_id, step, form, lambda about: agree(*about, form.otp.data.strip(), moment(form.at.data)))


@blueprint.post(STEP + "/disagree")
@needs(Permission.CASE_READ)
def case_step_disagree(case_id: object, step: str) -> AnyResponse:
    """Refuse the second word, or take the first back."""
    form = NoForm()
    disagree = the_vault().cases.work.disagree
    return _do(case_id, step, form, lambda about: disagree(*about, form.why.data))


@blueprint.post(STEP + "/waive")
@needs(Permission.CASE_READ)
def case_step_waive(case_id: object, step: str) -> AnyResponse:
    """Propose that it be let go."""
    form = WaiveForm()
    waive = the_vault().cases.work.waive
    return _do(case_id, step, form, lambda about: waive(*about, form.why.data, form.otp.data.strip()))


def _do(
    case_id: object, step: str, form: Form, do: Callable[[About], object], *, running: bool = False
) -> AnyResponse:
    """Have a use case do what the form says, and show the step again, with its refusal if there is one."""
    name = str(case_id)
    if not form.validate():
        return _step(name, step, form, INVALID, running=running)
    try:
        do((actor(), name, step, _account()))
    except VaultError as error:
        return refused(error, form, lambda status: _step(name, step, form, status, running=running))
    return _back(name, step)


def _back(case_id: str, step: str) -> AnyResponse:
    return redirect(url_for("ui.case_step", case_id=case_id, step=step, account=_account() or None), 303)


def _step(
    case_id: str,
    step: str,
    form: Form,
    status: int,
    *,
    preview: Preview | None = None,
    running: bool = False,
) -> Response:
    whole, item = _found(case_id, step)
    asks, run_asks = whole.asks(item.step), whole.run_asks(item.step)
    mine = [
        each.account_id
        for each in whole.mine
        if each.step.name == step and each.account_id != item.account_id
    ]
    is_word = isinstance(form, WordForm)
    return page(
        "ui/case_step.html",
        status,
        whole=whole,
        case=whole.scene.case,
        it=item,
        step=item.step,
        account=whole.scene.accounts.get(item.account_id),
        place=whole.scene.place(item.account_id),
        may=whole.may(item),
        Doing=Doing,
        able=whole.able(item),
        evidence=whole.evidence(item),
        history=the_vault().cases.reading.told(whole, item),
        asks=asks,
        run_asks=run_asks,
        sorts=Sort,
        form=form,
        say=form if is_word and not running else _filled(whole, item, evidence_form(asks)(formdata=None)),
        run=form if is_word and running else evidence_form(run_asks)(formdata=None),
        second=form if isinstance(form, SecondForm) else SecondForm(formdata=None),
        no=form if isinstance(form, NoForm) else NoForm(formdata=None),
        waive=form if isinstance(form, WaiveForm) else WaiveForm(formdata=None),
        preview=preview,
        foreseen=_foreseen(whole, item),
        target=target_of(whole),
        next_account=mine[0] if mine else "",
        ready=ready(whole, step),
        alone=tuple(each for each in asks if each.name != item.step.second_with),
        proposed=days_for(whole, item.step).get(item.account_id),
        told=words_cases,
    )


def _foreseen(whole: CaseWhole, item: Item) -> Foreseen | None:
    """Say what a move would change now, on the page of its last step; None anywhere else."""
    if whole.scene.case.kind is not CaseKind.MOVE or item.step.name != MOVE:
        return None
    return the_vault().cases.moves.foreseen(whole.scene)


def ready(whole: CaseWhole, step: str) -> tuple[str, ...]:
    """Give the accounts of which the reader may say, or have done, a step now, in the case's order."""
    return tuple(
        each.account_id
        for each in whole.items
        if each.step.name == step
        and each.account_id
        and each.waits
        and whole.may(each) & {Doing.SAY, Doing.RUN}
    )


def days_for(whole: CaseWhole, step: Step) -> dict[str, datetime]:
    """Give each account of a handover the free day nearest to the contract's end, for the step that plans it."""
    if whole.scene.case.kind is not CaseKind.HANDOVER or step.name != DAY:
        return {}
    found = the_vault().cases.handovers.free_days(actor(), whole.scene.case.id)
    return {each.account_id: each.at for each in found if each.at is not None}


def _filled(whole: CaseWhole, item: Item, form: WordForm) -> WordForm:
    """Put what was said before, or what the vault proposes, into a form that says it anew."""
    given = {} if item.done is None or item.done.by_vault else dict(item.done.evidence)
    proposed = days_for(whole, item.step).get(item.account_id)
    if proposed is not None and AT not in given:
        given[AT] = written(proposed)
    for name in form.names:
        if name in given:
            form[f"e_{name}"].data = given[name]
    return form


def written(moment: datetime) -> str:
    """Write a moment as a person would type it."""
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _found(case_id: str, step: str) -> tuple[CaseWhole, Item]:
    whole = the_vault().cases.reading.whole(actor(), case_id)
    return whole, whole.item(step, _account())


def _account() -> str:
    return request.args.get("account", "").replace(" ", "")


def moment(text: str | None) -> datetime:
    """Read when the first word was said, as the page had it; what is no time fits nothing and is refused."""
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return datetime.max.replace(tzinfo=the_vault().clock.now().tzinfo)
