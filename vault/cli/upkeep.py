"""`board`, `health` and `recovery-score`: what has to be done so that every credential stays sound."""

from __future__ import annotations

from typing import Any

import click

from vault.cli.client import connect, segment
from vault.cli.exits import plain
from vault.cli.output import emit, facts, json_option, table
from vault.domain.account import Kind
from vault.domain.board import Stage
from vault.domain.health import Health
from vault.domain.recoverable import Fate, Loss

_BOARD = (
    ("account_id", "ACCOUNT"), ("name", "NAME"), ("risk", "RISK"), ("health", "HEALTH"), ("stages", "STAGES"),
    ("since", "SINCE"), ("who", "WHO"), ("next", "NEXT"),
)  # fmt: skip
_HEALTH = (
    ("account_id", "ACCOUNT"), ("name", "NAME"), ("health", "HEALTH"), ("since", "SINCE"), ("next", "NEXT"),
)  # fmt: skip
_WHY = (("part", "PART"), ("health", "HEALTH"), ("since", "SINCE"), ("words", "WHY"))
_FATES = (("loss", "IF LOST"), *((fate, fate.upper().replace("_", " ")) for fate in Fate))
_RECOVERY = (
    ("account_id", "ACCOUNT"), ("name", "NAME"), ("mailbox", "MAILBOX"), ("phone", "PHONE"), ("wrapped", "OFFLINE"),
    *((loss, f"{loss.upper()} LOST") for loss in Loss),
)  # fmt: skip
_customer = click.option("--customer", help="Only those of this customer (DDI or id).")
_kind = click.option("--kind", type=click.Choice([str(kind) for kind in Kind]))
_limit = click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)


@click.command()
@click.option("--stage", type=click.Choice([str(stage) for stage in Stage]))
@click.option("--health", type=click.Choice([str(health) for health in Health]))
@_customer
@_kind
@_limit
@json_option
def board(
    stage: str | None,
    health: str | None,
    customer: str | None,
    kind: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Show what has to be done about credentials, the riskiest first."""
    found = connect().get("/board", stage=stage, health=health, customer_id=customer, kind=kind, limit=limit)
    if as_json:
        emit(found)
        return
    _counts(found["counts"])
    table([{**item, **_brief(item["account"]), "who": _who(item)} for item in found["items"]], _BOARD)
    _rest(found)


@click.command()
@click.argument("account", required=False)
@click.option("--health", type=click.Choice([str(health) for health in Health]))
@_customer
@_kind
@_limit
@json_option
def health(
    account: str | None,
    health: str | None,
    customer: str | None,
    kind: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List the health of credentials; of one ACCOUNT, with every reason and what to do."""
    if account is not None:
        _one(account, as_json=as_json)
        return
    found = connect().get("/health", health=health, customer_id=customer, kind=kind, limit=limit)
    if as_json:
        emit(found)
        return
    _counts(found["counts"])
    table([{**item["credential"], **_brief(item["account"])} for item in found["items"]], _HEALTH)
    _rest(found)


@click.command("recovery-score")
@click.option("--lost", type=click.Choice([str(loss) for loss in Loss]), help="List by this loss.")
@click.option("--fate", type=click.Choice([str(fate) for fate in Fate]), help="List only these.")
@_customer
@_kind
@_limit
@json_option
def recovery_score(
    lost: str | None, fate: str | None, customer: str | None, kind: str | None, limit: int, *, as_json: bool
) -> None:
    """Say which accounts would be lost if the vault, a mailbox or a phone were."""
    found = connect().get(
        "/recovery-score", loss=lost, fate=fate, customer_id=customer, kind=kind, limit=limit
    )
    if as_json:
        emit(found)
        return
    click.echo(
        f"{found['percent']} % of {found['held']} held accounts stay open to us after any single loss."
    )
    table([{"loss": loss, **counts} for loss, counts in found["fates"].items()], _FATES)
    if not found["recipient"]:
        click.echo("No offline recovery recipient is in force.")
    click.echo()
    rows = [{**item, **_brief(item["account"]), **item["fates"]} for item in found["items"]]
    table(rows, _RECOVERY)
    _rest(found)


def _one(account: str, *, as_json: bool) -> None:
    found = connect().get(f"/accounts/{segment(account)}/credential")["health"]
    if as_json:
        emit(found)
        return
    facts(found, (("health", "health"), ("since", "since"), ("step", "next")))
    rows = [{**fact, "part": part["part"]} for part in found["parts"] for fact in part["facts"]]
    if rows:
        click.echo()
        table(rows, _WHY)


def _brief(account: Any) -> dict[str, Any]:
    return {"account_id": account["account_id"], "name": account["name"]}


def _who(item: Any) -> str | None:
    if item["checkout"] is not None:
        return str(item["checkout"]["person"]["name"])
    doer = item["doer"]
    return None if doer is None or doer["person"] is None else str(doer["person"]["name"])


def _counts(counts: Any) -> None:
    click.echo(
        ", ".join(f"{number} {plain(name.replace('_', ' '))}" for name, number in counts.items()) + "."
    )


def _rest(found: Any) -> None:
    if found["next"]:
        click.echo("There are more: narrow the list, or raise --limit.")
