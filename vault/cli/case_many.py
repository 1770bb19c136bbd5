"""`cases say`: one word on a step of many accounts, under one fresh factor for each hundred of them.

Decided here: what a second word rests on is shown before the factor is asked for: what is the same of all, then account
by account what is not, those first that differ from most. What was refused is listed; the same three times in a row
ends it. What is said stays said, and the same command goes on.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from vault.cli.case_words import given_of
from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.factor import post_with_factor
from vault.cli.output import emit, facts, json_option, table, wait_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vault.cli.client import Api

AT_ONCE: Final = 100
_IN_A_ROW: Final = 3
_REFUSED: Final = (("account_id", "PASSED BY"), ("code", "CODE"), ("detail", "WHY"))


@click.command()
@click.argument("case")
@click.argument("step")
@click.option("--all", "everything", is_flag=True, help="Of all accounts that wait for this word of yours.")
@click.option(
    "--account", "accounts", multiple=True, metavar="NUMBER", help="Of this account; again for each."
)
@click.option(
    "--evidence", "given", multiple=True, metavar="NAME=TEXT", help="It is done of each: what proves it."
)
@click.option("--done", is_flag=True, help="It is done of each, and asks for no evidence.")
@click.option("--agree", is_flag=True, help="Say the second word on each.")
@click.option("--disagree", metavar="WHY", help="Refuse the second word, or take your first ones back.")
@click.option("--waive", metavar="WHY", help="Propose to let it go of each; another person agrees.")
@wait_option
@json_option
def say(
    case: str,
    step: str,
    accounts: tuple[str, ...],
    given: tuple[str, ...],
    disagree: str | None,
    waive: str | None,
    *,
    everything: bool,
    done: bool,
    agree: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Say one word on a STEP of many accounts of a case, with one fresh factor for each hundred."""
    words = [bool(given) or done, agree, disagree is not None, waive is not None]
    if sum(words) != 1:
        raise click.UsageError("One word: --evidence, --done, --agree, --disagree or --waive.")
    if everything == bool(accounts):
        raise click.UsageError("Give --all, or --account for each.")
    api = connect()
    body: dict[str, Any] = {"agree": True} if agree else {}
    body |= {} if disagree is None else {"disagree": disagree}
    body |= {} if waive is None else {"waive": waive}
    body |= {"evidence": given_of(given)} if words[0] else {}
    answers: list[Mapping[str, Any]] = []
    tried: set[str] = set()
    at = f"/cases/{segment(case)}/steps/{segment(step)}/words"
    while not _stopped(answers):
        wanted = [each for each in accounts if each not in tried][:AT_ONCE]
        if not everything and not wanted:
            break
        found, factor = _waiting(api, case, step, body, wanted, quiet=as_json)
        part = [each for each in found if each["account_id"] not in tried][:AT_ONCE]
        if not part and everything:
            break
        tried |= set(wanted) - {each["account_id"] for each in part}  # these wait for no such word
        if not part:
            continue
        sent = {**body, "accounts": part}
        answer = post_with_factor(api, at, sent, wait=wait) if factor else api.post(at, sent)
        answers += [each for each in answer["items"] if each["outcome"] != "left"]
        tried |= {each["account_id"] for each in answers}
        if not as_json:
            click.echo(f"{plain(str(answer['said']))} of {len(part)} said.", err=True)
    if not answers and not api.all(f"/cases/{segment(case)}/steps", step=step):
        unknown = (
            f"This case has no step {step[:40]!r} that you see; rootvault cases steps {case} names them."
        )
        raise click.UsageError(unknown)
    told = {each["account_id"] for each in answers}
    untold = [] if _stopped(answers) else [each for each in accounts if each not in told]
    _tell(answers, as_json=as_json)
    if untold:
        click.echo(f"Not said of {', '.join(untold)}: no such word of yours is waited for there.", err=True)
        sys.exit(1)


def _waiting(
    api: Api, case: str, step: str, body: Mapping[str, Any], wanted: list[str], *, quiet: bool
) -> tuple[list[dict[str, str]], bool]:
    """Give the accounts that wait for this word, as they are sent, and whether it takes a factor."""
    at = f"/cases/{segment(case)}/steps"
    if "agree" in body:
        seen = api.get(f"{at}/{segment(step)}/words", accounts=",".join(wanted) or None)
        if not quiet:
            _show(seen)
        return [{"account_id": each["account_id"], "at": each["at"]} for each in seen["items"]], True
    doing = next(name for name in ("evidence", "disagree", "waive") if name in body)
    may = {"evidence": "say"}.get(doing, doing)
    items = [each for each in api.all(at, step=step, waits="true") if may in each["you_may"]]
    numbers = [each["account_id"] for each in items if each["account_id"] is not None]
    found = [{"account_id": each} for each in numbers if not wanted or each in wanted]
    return found, doing == "waive" or (doing == "evidence" and any(_takes_two(each, body) for each in items))


def _takes_two(item: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    only_with = item["two_people_with"]
    return bool(item["two_people"] and (not only_with or only_with in body["evidence"]))


def _show(seen: Mapping[str, Any]) -> None:
    """Show what second words rest on: first what is the same of all, then what is not."""
    if not seen["items"]:
        return
    click.secho(f"The same of all {len(seen['items'])}", bold=True)
    same = [(f"f{at}", _name(each)) for at, each in enumerate(seen["same"])]
    facts({f"f{at}": each["value"] for at, each in enumerate(seen["same"])}, same)
    columns = [("account_id", "ACCOUNT"), ("sign", "")]
    columns += [(f"f{at}", _name(each)) for at, each in enumerate(seen["facts"])]
    click.echo()
    table(_lines(seen["items"]), columns)
    if seen["waiting"] > len(seen["items"]):
        click.echo(f"And {seen['waiting'] - len(seen['items'])} more, asked for after these.")


def _lines(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "account_id": each["account_id"],
            "sign": "differs" if any(each["unlike"]) else "",
            **{
                f"f{at}": f"{value} (!)" if unlike else value
                for at, (value, unlike) in enumerate(zip(each["values"], each["unlike"], strict=True))
            },
        }
        for each in items
    ]


def _name(fact: Mapping[str, Any]) -> str:
    return f"{fact['title']}: {fact['label'] or 'by'}"


def _stopped(answers: list[Mapping[str, Any]]) -> bool:
    """Say whether the same stood against the last few."""
    last = [each["code"] for each in answers[-_IN_A_ROW:]]
    return len(last) == _IN_A_ROW and len(set(last)) == 1 and last[0] is not None


def _tell(answers: list[Mapping[str, Any]], *, as_json: bool) -> None:
    refused = [each for each in answers if each["outcome"] == "refused"]
    said = len(answers) - len(refused)
    if as_json:
        emit({"said": said, "refused": refused, "stopped": _stopped(answers)})
    else:
        click.echo(f"Said of {said} {'account' if said == 1 else 'accounts'}.")
        if refused:
            table(refused, _REFUSED)
        if _stopped(answers):
            click.echo("The same three times in a row: the rest was left.")
    if refused:
        sys.exit(1)
