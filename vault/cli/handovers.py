"""`handover`: asking for one, its information, gates and days, its steps by account, release, and its end.

Decided here: the words of a handover. Steps, batches and what the vault does at AWS are as for any case (`cases`), its
end is in `releases`. A file of many accounts is the body that REST takes.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from vault.cli.case_many import say
from vault.cli.case_words import given_of
from vault.cli.case_words import tell as show_step
from vault.cli.cases import batch, run, step
from vault.cli.client import connect, segment
from vault.cli.exits import Failure, plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, table, wait_option
from vault.cli.releases import acknowledge, end, link, pack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.client import Api

_STATES: Final = (
    "requested", "prepared", "scheduled", "in_progress", "released", "acknowledged", "closed", "cancelled",
)  # fmt: skip
_LIST: Final = (
    ("id", "HANDOVER"), ("customer", "CUSTOMER"), ("state", "STATE"), ("accounts", "ACCOUNTS"), ("ticket", "TICKET"),
    ("waits", "WAITS FOR"), ("whom", "ON WHOM"), ("since", "SINCE"),
)  # fmt: skip
_FACTS: Final = (
    ("id", "Handover"), ("customer", "Customer"), ("ticket", "Ticket"), ("state", "State"), ("signatory", "Signatory"),
    ("contract_end", "Contract ends"), ("organization", "Organization"), ("cause", "Order"), ("waits", "Waits for"),
    ("whom", "On whom"), ("since", "Since"),
)  # fmt: skip
_PLACES: Final = (
    ("account_id", "ACCOUNT"), ("kind", "KIND"), ("custody", "CUSTODY"), ("state", "STATE"), ("day", "DAY"),
    ("root_email", "NEW ROOT E-MAIL"), ("progress", "DONE"),
)  # fmt: skip
_GATES: Final = (
    ("rule", "RULE"), ("step", "STEP"), ("account_id", "ACCOUNT"), ("state", "STATE"), ("missing", "MISSING"),
)  # fmt: skip
_FREE: Final = (("account_id", "ACCOUNT"), ("at", "NEAREST FREE DAY"))
_PASSED: Final = frozenset({"met", "waived", "not_needed"})


@click.group(invoke_without_command=True)
@click.pass_context
def handover(context: click.Context) -> None:
    """Accounts that are given back to their customer; without a command, the list."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


for _each in (batch, run, say, end, link, acknowledge, pack):
    handover.add_command(_each)
handover.add_command(step, "confirm")


def _information(command: Any) -> Any:
    for option in reversed(
        (
            click.option("--signatory", help="Name of who may sign for the customer."),
            click.option("--signatory-email", help="Their e-mail address."),
            click.option("--channel", help="Another way to reach them, such as a phone number."),
            click.option("--contract-end", help="The contract's last day, such as 2027-03-31."),
            click.option("--organization", type=click.Choice(["leave", "keep"]), help="Its members leave it, or not."),
            click.option(
                "--account", "accounts", multiple=True, metavar="NUMBER[=EMAIL]",
                help="An account, with the customer's address for its root; again for each.",
            ),
            click.option(
                "--under", multiple=True, metavar="NUMBER=PAYER",
                help="A member's payer, where the handover has several; again for each.",
            ),
            click.option("--file", type=click.File(), help="The rest of it as JSON, as REST takes it."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@handover.command("list")
@click.option("--customer", help="Of a customer, by id or DDI.")
@click.option("--state", type=click.Choice(_STATES))
@click.option("--ended", is_flag=True, help="Those that ended, instead of open ones.")
@json_option
def list_(
    customer: str | None = None, state: str | None = None, *, ended: bool = False, as_json: bool = False
) -> None:
    """List handovers, with where each waits, on whom, and since when."""
    which = "false" if ended else "true"
    items = connect().all("/handovers", customer_id=customer, state=state, open=which)
    if as_json:
        emit({"items": items, "next": None})
    elif items:
        table([_flat(each) for each in items], _LIST)
    else:
        click.echo("No handover fits.")


@handover.command("open")
@click.option("--customer", required=True, help="Whose accounts, by id or DDI.")
@click.option("--ticket", required=True, help="The one ticket that holds all communication.")
@click.option("--order", help="What it grew out of: the same again is the same handover.")
@_information
@json_option
def open_(customer: str, ticket: str, order: str | None, *, as_json: bool, **known: Any) -> None:
    """Ask for a handover."""
    body = {
        "customer_id": customer,
        "ticket": ticket,
        **({"order": order} if order else {}),
        **_told(**known),
    }
    _shown(connect().post("/handovers", body), as_json=as_json)


@handover.command()
@click.argument("case")
@json_option
def show(case: str, *, as_json: bool) -> None:
    """Show a handover with its accounts."""
    _shown(connect().get(_at(case)), as_json=as_json)


@handover.command()
@click.argument("case")
@_information
@json_option
def tell(case: str, *, as_json: bool, **known: Any) -> None:
    """Say more of what has to be known."""
    _shown(connect().post(_at(case), _told(**known)), as_json=as_json)


@handover.command()
@click.argument("case")
@click.option("--all", "everything", is_flag=True, help="Also those that are met, or not needed.")
@json_option
def gates(case: str, *, everything: bool, as_json: bool) -> None:
    """Tell what is missing, by rule and account; exit status 1 while anything is."""
    found = connect().get(f"{_at(case)}/gates")
    if as_json:
        emit(found)
    else:
        left = [each for each in found["items"] if everything or each["state"] not in _PASSED]
        table([{**each, "account_id": each["account_id"] or "all"} for each in left], _GATES)
    if not found["met"]:
        sys.exit(1)


@handover.command()
@click.argument("case")
@json_option
def days(case: str, *, as_json: bool) -> None:
    """Tell which free day is nearest to the contract's end, for each account that has none."""
    found = connect().get(f"{_at(case)}/days")
    if as_json:
        emit(found)
    else:
        table(found["items"], _FREE)


@handover.command()
@click.argument("case")
@click.argument("account", required=False)
@click.option("--at", help="2027-03-16T15:00Z, or 2027-03-16T09:00 by the clocks of the calendar.")
@click.option("--nearest", is_flag=True, help="The nearest free day; without ACCOUNT for each that has none.")
@click.option("--why", help="Against H2: the sentence with which another person has to agree.")
@wait_option
@json_option
def schedule(
    case: str,
    account: str | None,
    at: str | None,
    why: str | None,
    *,
    nearest: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Choose the day of an account, or with --nearest of all that have none."""
    if (at is None) == (not nearest) or (at is not None and account is None):
        raise click.UsageError("Give ACCOUNT and --at, or --nearest.")
    api = connect()
    wanted = {account: at} if at is not None else _nearest(api, case, account)
    refused: list[dict[str, str]] = []
    for number, moment in wanted.items():
        place, body = f"{_at(case)}/accounts/{segment(str(number))}/schedule", {"at": moment}
        if why is not None:
            post_with_factor(api, place, {**body, "why": why}, wait=wait)
            continue
        try:
            api.post(place, body)
        except Failure as failure:
            if account is not None:
                raise
            refused.append({"account_id": str(number), "code": failure.code, "detail": failure.detail})
    _shown(api.get(_at(case)), as_json=as_json)
    if refused:
        table(refused, (("account_id", "NO DAY"), ("code", "CODE"), ("detail", "WHY")))
        sys.exit(1)


@handover.command("dry-run")
@click.argument("case")
@click.argument("step")
@click.argument("account")
@json_option
@click.pass_context
def dry_run(context: click.Context, case: str, step: str, account: str, *, as_json: bool) -> None:
    """Show what a step would take away at AWS and what it would leave; nothing changes."""
    context.invoke(run, case=case, step=step, account=account, given=(), dry=True, as_json=as_json)


@handover.command()
@click.argument("case")
@click.argument("account")
@click.option("--note", help="Anything to note.")
@wait_option
@json_option
def release(case: str, account: str, note: str | None, *, wait: bool, as_json: bool) -> None:
    """Say one of the two words that release an account: an operator's first, then an approver's."""
    api, place = connect(), f"{_at(case)}/accounts/{segment(account)}/release"
    body = {} if note is None else {"note": note}
    found = api.get(f"/cases/{segment(case)}/steps", account_id=account, step="release")["items"]
    if found and "agree" in found[0]["you_may"]:
        if not as_json:
            show_step(found[0])
        body["at"] = found[0]["at"]
    item = post_with_factor(api, place, body, wait=wait)
    if as_json:
        emit(item)
        return
    waits = item["item"]["standing"] == "asked"
    words = "an approver has to say the second word" if waits else "nothing of ours opens it any more"
    click.echo(f"Account {plain(account)}: {words}.")


@handover.command()
@click.argument("case")
@click.option("--why", required=True, help="A sentence for the log.")
@json_option
def cancel(case: str, why: str, *, as_json: bool) -> None:
    """Cancel a handover before its first step that cannot be undone."""
    _shown(connect().post(f"{_at(case)}/cancel", {"why": why}), as_json=as_json)


def _at(case: str) -> str:
    return f"/handovers/{segment(case)}"


def _nearest(api: Api, case: str, account: str | None) -> dict[str, str]:
    found = api.get(f"{_at(case)}/days")["items"]
    return {
        each["account_id"]: each["at"]
        for each in found
        if each["at"] is not None and account in {None, each["account_id"]}
    }


def _told(
    signatory: str | None,
    signatory_email: str | None,
    channel: str | None,
    contract_end: str | None,
    organization: str | None,
    accounts: tuple[str, ...],
    under: tuple[str, ...],
    file: Any,
) -> dict[str, Any]:
    """Give what was said as REST takes it; what stands on the command line comes before the file's."""
    body: dict[str, Any] = {} if file is None else _read(file)
    if signatory or signatory_email:
        told = {"name": signatory or "", "email": signatory_email or ""}
        body["signatory"] = told | ({"channel": channel} if channel else {})
    body |= {"contract_end": contract_end} if contract_end else {}
    body |= {"organization": organization} if organization else {}
    if accounts:
        pairs = (each.partition("=") for each in accounts)
        body["accounts"] = [
            {"account_id": number} | ({"root_email": email} if email else {}) for number, _, email in pairs
        ]
    for number, payer in given_of(under).items():
        known = body.setdefault("accounts", [])
        if number not in {each.get("account_id") for each in known}:
            known.append({"account_id": number})
        next(each for each in known if each.get("account_id") == number)["payer"] = payer
    return body


def _read(file: Any) -> dict[str, Any]:
    try:
        found = json.load(file)
    except ValueError as failure:
        raise click.UsageError(f"--file is no JSON: {failure}") from None
    if not isinstance(found, dict):
        raise click.UsageError("--file is one object, as REST takes it.")
    return found


def _flat(found: Mapping[str, Any]) -> dict[str, Any]:
    oldest, customer = found["oldest"], found["customer"]
    waits: dict[str, Any] = {"waits": "nothing", "whom": "", "since": ""}
    if oldest is not None:
        waits = {"waits": oldest["title"], "whom": ", ".join(oldest["roles"]), "since": oldest["since"]}
    return {**found, **waits, "customer": f"{customer['ddi']} {customer['name']}"}


def _shown(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    signatory = found["signatory"]
    named = "" if signatory is None else f"{signatory['name']} <{signatory['email']}>"
    facts({**_flat(found), "signatory": named}, _FACTS)
    emails = {each["account_id"]: each["root_email"] for each in found["known"]}
    click.echo()
    table(
        [
            {
                **each,
                "root_email": emails.get(each["account_id"]),
                "progress": f"{each['done']} of {each['steps']}",
            }
            for each in found["places"]
        ],
        _PLACES,
    )
