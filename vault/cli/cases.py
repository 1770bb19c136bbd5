"""`cases`: the board, one case, words on its steps, what the vault does at AWS, batches, the calendar of cases.

Decided here: `rootvault cases` is the board and `rootvault cases CASE` that case. A batch goes from account to account
and is stopped by a key; what is done stays done, and the same command goes on.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from vault.cli.case_many import say
from vault.cli.case_words import BOARD, DAYS, FACTS, STEPS, given_of, own_of, row, single_of, step_row, tell
from vault.cli.client import connect, segment
from vault.cli.exits import Failure, plain
from vault.cli.factor import post_with_factor, wants_factor
from vault.cli.output import ask_secret, emit, facts, json_option, table, wait_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.client import Api

_KINDS: Final = ("onboarding", "handover", "closure", "move")
_IN_A_ROW: Final = 3


class _Cases(click.Group):
    """A group in which the number of a case stands for `show` of it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; what is none is the number of a case."""
        named = args if args and args[0] in self.commands else ["show", *args]
        return super().resolve_command(ctx, named)


def _narrowing(command: Any) -> Any:
    for option in reversed(
        (
            click.option("--kind", type=click.Choice(_KINDS), help="Of this kind."),
            click.option("--state", help="In this state."),
            click.option("--customer", help="Of a customer, by id or DDI."),
            click.option("--account", help="That have this account."),
            click.option("--mine", is_flag=True, help="That wait for you."),
            click.option("--turn", help="That wait for whoever holds this permission."),
            click.option("--ended", is_flag=True, help="That ended, instead of open ones."),
            json_option,
        )
    ):
        command = option(command)
    return command


@click.group(cls=_Cases, invoke_without_command=True)
@click.pass_context
def cases(ctx: click.Context) -> None:
    """Onboardings, handovers, closures and moves: work on accounts in steps."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(board)


cases.add_command(say)


@cases.command()
@_narrowing
def board(
    kind: str | None = None,
    state: str | None = None,
    customer: str | None = None,
    account: str | None = None,
    turn: str | None = None,
    *,
    mine: bool = False,
    ended: bool = False,
    as_json: bool = False,
) -> None:
    """List cases: yours first, then what has waited longest; with where each waits, on whom, since when."""
    items = connect().all(
        "/cases",
        kind=kind,
        state=state,
        customer_id=customer,
        account_id=account,
        turn="mine" if mine else turn,
        open="false" if ended else "true",
    )
    if as_json:
        emit({"items": items, "next": None})
    elif items:
        table([row(each) for each in items], BOARD)
    else:
        click.echo("No case fits.")


@cases.command()
@click.argument("case")
@json_option
def show(case: str, *, as_json: bool) -> None:
    """Show a case, and what waits for whom."""
    api, at = connect(), f"/cases/{segment(case)}"
    whole = api.get(at)
    if as_json:
        emit(whole)
        return
    click.secho(plain(whole["id"]), bold=True)
    facts(row(whole), FACTS)
    waits = api.all(f"{at}/steps", waits="true")
    if waits:
        click.echo()
        table([step_row(each) for each in waits], STEPS)


@cases.command()
@click.argument("case")
@click.option("--account", help="Of this account.")
@click.option("--step", help="This step, of each account.")
@click.option("--waits", is_flag=True, help="Only what waits for somebody.")
@click.option("--mine", is_flag=True, help="Only what waits for you.")
@json_option
def steps(
    case: str, account: str | None, step: str | None, *, waits: bool, mine: bool, as_json: bool
) -> None:
    """List the steps of a case as they stand."""
    waiting = "mine" if mine else "true" if waits else None
    items = connect().all(f"/cases/{segment(case)}/steps", account_id=account, step=step, waits=waiting)
    if as_json:
        emit({"items": items, "next": None})
    else:
        table([step_row(each) for each in items], STEPS)


@cases.command()
@click.argument("case")
@click.argument("step")
@click.option("--account", help="Of this account; without it, of the whole case.")
@click.option(
    "--evidence",
    "given",
    multiple=True,
    metavar="NAME=TEXT",
    help="It is done: what proves it; again for each.",
)
@click.option("--done", is_flag=True, help="It is done, and asks for no evidence.")
@click.option("--agree", is_flag=True, help="Say the second word, with a fresh factor.")
@click.option("--disagree", metavar="WHY", help="Refuse the second word, or take your first one back.")
@click.option("--waive", metavar="WHY", help="Propose to let it go; another person agrees.")
@wait_option
@json_option
def step(
    case: str,
    step: str,
    account: str | None,
    given: tuple[str, ...],
    disagree: str | None,
    waive: str | None,
    *,
    done: bool,
    agree: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Show one STEP of a case, or say a word on it."""
    said = [bool(given) or done, agree, disagree is not None, waive is not None]
    if sum(said) > 1:
        raise click.UsageError("One word at a time: --evidence, --done, --agree, --disagree or --waive.")
    api = connect()
    shown = _look_up(api, case, step, account)
    body: dict[str, Any] = {"account_id": account}
    only_with = shown["two_people_with"]
    by_two = shown["two_people"] and (not only_with or only_with in given_of(given))
    factor = agree or waive is not None or (said[0] and by_two)
    if agree:
        if not as_json:
            tell(shown)
        body["agree"] = {"at": shown["at"]}
    elif disagree is not None:
        body["disagree"] = disagree
    elif waive is not None:
        body["waive"] = waive
    elif said[0]:
        body["evidence"] = given_of(given)
    if any(said):
        shown = _say(api, case, step, body, factor=factor, wait=wait)["item"]
    if as_json:
        emit(shown)
    else:
        tell(shown)


@cases.command()
@click.argument("case")
@click.argument("step")
@click.option("--account", help="Of this account; without it, of the whole case.")
@click.option(
    "--with", "given", multiple=True, metavar="NAME=TEXT", help="What the step asks for; codes are asked."
)
@click.option("--dry", is_flag=True, help="Only show what goes and what stays; nothing changes.")
@json_option
def run(
    case: str, step: str, account: str | None, given: tuple[str, ...], *, dry: bool, as_json: bool
) -> None:
    """Have the vault do a STEP at AWS; done again it is the same."""
    api = connect()
    body: dict[str, Any] = {"account_id": account}
    if dry:
        answer = _say(api, case, step, body | {"dry_run": True})
        if as_json:
            emit(answer)
            return
        for name in ("goes", "stays"):
            click.secho(name.capitalize(), bold=True)
            for each in answer["preview"][name] or ["(nothing)"]:
                click.echo(f"  {plain(each)}")
        click.echo(plain(answer["preview"]["words"]) or "Nothing was changed.")
        return
    asked = _look_up(api, case, step, account)["run_fields"]
    values = given_of(given)
    for each in asked:
        if each["form"] == "code" and each["name"] not in values and not each["optional"]:
            values[each["name"]] = ask_secret(plain(each["label"]))
    answer = _say(api, case, step, body | {"run": values})
    if as_json:
        emit(answer)
    else:
        tell(answer["item"])


@cases.command()
@click.argument("case")
@click.argument("step")
@click.option("--evidence", "given", multiple=True, metavar="NAME=TEXT", help="The same for each account.")
@click.option("--run", "running", is_flag=True, help="Have the vault do it at AWS.")
@click.option(
    "--each",
    type=click.File(),
    help="Each account its own, such as the code that AWS mailed: lines of number, blank, value; - is standard input.",
)
@json_option
def batch(case: str, step: str, given: tuple[str, ...], each: Any, *, running: bool, as_json: bool) -> None:
    """Say, or do, a STEP for all accounts that are ready for you, one after the other."""
    api, values = connect(), given_of(given)
    own = None if each is None else own_of(each)
    what = "run" if running else "evidence"
    word = "run" if running else "say"
    refused: list[dict[str, str]] = []
    tried: set[str] = set()
    done, in_a_row = 0, [""]
    while len(in_a_row) <= _IN_A_ROW:
        items = api.all(f"/cases/{segment(case)}/steps", step=step, waits="mine")
        left = [item for item in items if word in item["you_may"] and item["account_id"] not in tried]
        left = [item for item in left if own is None or item["account_id"] in own]
        if not left:
            break
        for item in left:
            number = str(item["account_id"])
            mine = {} if own is None else {single_of(item, running=running): own[number]}
            tried.add(number)
            _bar(done, len(tried), len(tried) - 1 + len(left), number, quiet=as_json)
            try:
                _say(api, case, step, {"account_id": number, what: values | mine})
                done, in_a_row = done + 1, [""]
            except Failure as failure:
                refused.append({"account_id": number, "code": failure.code, "detail": failure.detail})
                in_a_row = [*in_a_row, failure.code] if in_a_row[-1] == failure.code else ["", failure.code]
                if len(in_a_row) > _IN_A_ROW:
                    break
            left = left[1:]
    _bar_ends(quiet=as_json)
    if as_json:
        emit({"done": done, "refused": refused})
    else:
        click.echo(f"Done for {done} {'account' if done == 1 else 'accounts'}.")
        table(
            refused, (("account_id", "PASSED BY"), ("code", "CODE"), ("detail", "WHY"))
        ) if refused else None
    if refused:
        sys.exit(1)


@cases.command()
@click.argument("case")
@click.option("--why", required=True, help="Why it ends; it stays in the log.")
@json_option
def cancel(case: str, why: str, *, as_json: bool) -> None:
    """End a case, before its first step that cannot be undone."""
    ended = connect().post(f"/cases/{segment(case)}/cancel", {"why": why})
    if as_json:
        emit(ended)
    else:
        facts(row(ended), FACTS)


@cases.command()
@click.option("--from", "first", metavar="DAY", help="The first day; without it this month.")
@click.option("--until", "last", metavar="DAY", help="The last day.")
@json_option
def calendar(first: str | None, last: str | None, *, as_json: bool) -> None:
    """Show what is booked on which day, and for whom a day is free."""
    found = connect().get("/cases/calendar", **{"from": first, "until": last})
    if as_json:
        emit(found)
        return
    rows = [
        {
            "day": each["day"],
            "booked": f"{each['booked']} of {each['capacity']}",
            "member": "free" if each["member"] is None else each["holiday"] or each["member"]["words"],
            "payer": "free" if each["payer"] is None else each["holiday"] or each["payer"]["words"],
        }
        for each in found["days"]
        if each["booked"] or each["closed"] is None or each["holiday"]
    ]
    table(rows, DAYS)


def _say(
    api: Api, case: str, step: str, body: Mapping[str, Any], *, factor: bool = False, wait: bool = False
) -> Any:
    path = f"/cases/{segment(case)}/steps/{segment(step)}"
    if not factor:
        try:
            return api.post(path, body)
        except Failure as failure:
            if not wants_factor(failure):
                raise
            click.echo(plain(failure.detail), err=True)
    return post_with_factor(api, path, body, wait=wait)


def _look_up(api: Api, case: str, step: str, account: str | None) -> Any:
    """Find one step of an account, or of the whole case."""
    items = api.all(f"/cases/{segment(case)}/steps", step=step, account_id=account)
    found = [each for each in items if each["account_id"] == account]
    if not found:
        whose = f"account {account}" if account else "the whole case; name the account with --account"
        raise click.UsageError(f"There is no step {step!r} of {whose}.")
    return found[0]


def _bar(done: int, at: int, whole: int, account: str, *, quiet: bool) -> None:
    """Draw how far a batch is, on a terminal; elsewhere one line for each account."""
    if quiet:
        return
    if not sys.stderr.isatty():
        click.echo(f"{at} of {whole}  {account}", err=True)
        return
    filled = 30 * at // max(1, whole)
    click.echo(
        f"\r[{'#' * filled}{'.' * (30 - filled)}] {at} of {whole}, {done} done  {account}", nl=False, err=True
    )


def _bar_ends(*, quiet: bool) -> None:
    if not quiet and sys.stderr.isatty():
        click.echo(err=True)
