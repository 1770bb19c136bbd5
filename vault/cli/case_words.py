"""How the terminal shows cases: a row of the board, a step, and for how long something has waited."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from vault.cli.exits import plain
from vault.cli.output import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BOARD: Final = (
    ("id", "CASE"),
    ("kind", "KIND"),
    ("customer", "CUSTOMER"),
    ("state", "STATE"),
    ("progress", "DONE"),
    ("waits", "WAITS FOR"),
    ("account", "ACCOUNT"),
    ("whom", "ON WHOM"),
    ("age", "FOR"),
)
FACTS: Final = (
    ("kind", "Kind"),
    ("customer", "Customer"),
    ("ticket", "Ticket"),
    ("state", "State"),
    ("progress", "Done"),
    ("accounts", "Accounts"),
    ("opened_at", "Opened"),
    ("ended_at", "Ended"),
)
STEPS: Final = (
    ("step", "STEP"),
    ("rule", "RULE"),
    ("account_id", "ACCOUNT"),
    ("standing", "STANDS"),
    ("whom", "ON WHOM"),
    ("since", "SINCE"),
    ("title", "TITLE"),
)
ITEM: Final = (
    ("title", "Step"),
    ("rule", "Rule"),
    ("account_id", "Account"),
    ("standing", "Stands"),
    ("whom", "On whom"),
    ("since", "Since"),
    ("missing", "First comes"),
    ("evidence", "Evidence"),
    ("words", "Words"),
    ("by", "Said by"),
    ("second_by", "And by"),
    ("at", "At"),
    ("you_may", "You may"),
)
DAYS: Final = (("day", "DAY"), ("booked", "BOOKED"), ("member", "MEMBERS"), ("payer", "PAYERS"))


def now() -> datetime:
    """Give this machine's time, for how long something has waited."""
    return datetime.now(UTC)


def given_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """Read what was given as NAME=TEXT."""
    found: dict[str, str] = {}
    for each in pairs:
        name, equals, text = each.partition("=")
        if not equals:
            raise click.UsageError(f"{each!r} is not NAME=TEXT.")
        found[name.strip()] = text
    return found


def own_of(lines: Iterable[str]) -> dict[str, str]:
    """Read what each account has of its own: its number, a blank, and the value; codes come by no argument."""
    found: dict[str, str] = {}
    for each in lines:
        number, _, value = each.strip().partition(" ")
        if number and not value.strip():
            raise click.UsageError(
                f"{number[:12]!r} has no value beside it; write NUMBER VALUE on each line."
            )
        if number:
            found[number] = value.strip()
    return found


def single_of(item: Mapping[str, Any], *, running: bool) -> str:
    """Name the one thing that a step asks of each account."""
    asked = [each["name"] for each in item["run_fields" if running else "fields"] if not each["optional"]]
    if len(asked) != 1:
        raise click.UsageError(
            f"This step does not ask for one thing but for: {', '.join(asked) or 'nothing'}."
        )
    return str(asked[0])


def row(case: Mapping[str, Any]) -> dict[str, Any]:
    """Give a case as one row, with where it waits."""
    waits = case["mine"] or case["oldest"] or {}
    roles = " or ".join(waits.get("roles", ()))
    return {
        **case,
        "customer": f"{case['customer']['name']} ({case['customer']['ddi']})",
        "progress": f"{case['done']} of {case['steps']}",
        "waits": waits.get("title"),
        "account": waits.get("account_id"),
        "whom": f"you ({roles})" if case["mine"] else roles or None,
        "age": age(waits["since"]) if waits else None,
    }


def step_row(item: Mapping[str, Any]) -> dict[str, Any]:
    """Give a step as one row, with whose turn it is."""
    return {**item, "whom": " or ".join(item["roles"]) or None}


def tell(item: Mapping[str, Any]) -> None:
    """Show one step."""
    facts(step_row(item), ITEM)
    asked = ", ".join(
        f"{each['name']} ({each['label']}{', optional' if each['optional'] else ''})"
        for each in item["fields"]
    )
    if "say" in item["you_may"] and asked:
        click.echo(f"Asked for    {plain(asked)}")


def age(since: str) -> str:
    """Say for how long something has been so."""
    seconds = max(0, int((now() - datetime.fromisoformat(since)).total_seconds()))
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {name}"
    return "now"
