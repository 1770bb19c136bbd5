"""The policy as pages: who may do what, its versions, proposing another, and why something is not open to you."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.actor import Role
from vault.domain.agreement import words as needs_words
from vault.domain.ids import is_account_id
from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.services.policies import between
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.forms import PolicyForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.services.policies import Compared

PAGE: Final = 50


@blueprint.get("/policy")
@needs(SIGNED_IN)
def policy_page() -> Response:
    """Show who may do what, for which reasons, within which limits."""
    vault = the_vault()
    reads = vault.policies.may_read(actor())
    return page(
        "ui/policy.html",
        roles=list(Role),
        permissions=list(Permission),
        number=vault.book.number,
        fault=vault.book.fault if reads else "",
        reads=reads,
        file=vault.policies.file_state() if reads else None,
        needs=needs_words,
    )


@blueprint.get("/policy/explain")
@needs(SIGNED_IN)
def policy_explain() -> Response:
    """Show every gate between the reader and an account, for a reason."""
    asked = {name: request.args.get(name, "").strip() for name in ("account", "reason", "minutes", "ticket")}
    problem, told = "", None
    if asked["account"] or asked["reason"]:
        minutes = asked["minutes"]
        if not is_account_id(asked["account"]):
            problem = "Give the account's twelve digits."
        elif not asked["reason"]:
            problem = "Choose a reason."
        elif minutes and not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes[:5]) <= 1440):  # noqa: PLR2004 - minutes of a day
            problem = "Give the minutes as a number, at most 1440."
        else:
            told = the_vault().explaining.explain(
                actor(),
                asked["account"],
                asked["reason"][:32],
                int(minutes[:5]) * 60 if minutes else None,
                asked["ticket"][:64],
            )
    status = INVALID if problem else 200
    return page("ui/explain.html", status, asked=asked, told=told, problem=problem)


@blueprint.get("/policy/versions")
@needs(SIGNED_IN)
def policy_versions() -> Response:
    """Show the versions, newest first."""
    vault = the_vault()
    found = vault.policies.page(actor(), Slice(PAGE, request.args.get("cursor")))
    return page(
        "ui/policy_versions.html",
        versions=found.items,
        number=vault.book.number,
        file=vault.policies.file_state(),
        next_url=next_page("ui.policy_versions", found.next),
    )


@blueprint.get("/policy/versions/<digest>")
@needs(SIGNED_IN)
def policy_version(digest: str) -> Response:
    """Show one version beside the one before."""
    vault = the_vault()
    version, before = vault.policies.version(actor(), digest)
    return page(
        "ui/policy_version.html",
        version=version,
        before=before,
        number=vault.book.number,
        differences=between(before, version),
    )


@blueprint.get("/policy/propose")
@needs(Permission.POLICY_MANAGE)
def policy_propose() -> Response:
    """Show the host's file, to be proposed or changed first."""
    form = PolicyForm(formdata=None)
    try:
        form.text.data = the_vault().policies.file_text(actor())
    except VaultError as error:
        form.take(error)
    return _propose(form, 200)


@blueprint.post("/policy/propose")
@needs(Permission.POLICY_MANAGE)
def policy_propose_send() -> AnyResponse:
    """Compare, or propose."""
    form = PolicyForm()
    if request.form.get("act") == "compare":
        return _propose(form, 200)
    if not form.validate():
        return _propose(form, INVALID)
    try:
        made = the_vault().policies.propose(actor(), _text(form), form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _propose(form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


def _propose(form: PolicyForm, status: int) -> Response:
    compared: Compared | None = None
    if form.text.data:
        try:
            compared = the_vault().policies.compare(actor(), _text(form))
        except VaultError as error:
            form.take(error)
            status = INVALID if request.method == "POST" else status
    return page("ui/policy_propose.html", status, form=form, compared=compared)


def _text(form: PolicyForm) -> str:
    """Give the text with the line ends of a file: a form is sent with others (WHATWG HTML 4.10.22.4)."""
    return (form.text.data or "").replace("\r\n", "\n")
