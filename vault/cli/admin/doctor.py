"""`rootvault doctor`: what is wrong here, in plain words, each with the next step.

Decided here: a check that cannot run because an earlier one failed is left out, so that the first fault told
is the one to mend. Exit status 1 if anything is broken. A look at the whole log (`--deep`, `--replay`) is an entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from vault.cli.admin.checks import (
    Finding,
    Level,
    check_database,
    check_disk,
    check_ground,
    check_keys,
    check_people,
    check_trail,
)
from vault.cli.admin.cloud_check import check_cloud
from vault.cli.admin.destroyed_check import check_destroyed
from vault.cli.admin.examining import check_state, record_examined
from vault.cli.admin.feed_check import check_feeds
from vault.cli.admin.host import config_option, settings_of
from vault.cli.admin.inspection_check import check_inspection
from vault.cli.admin.mail_check import check_mail
from vault.cli.admin.notice_check import check_notices
from vault.cli.admin.outside_check import check_outside
from vault.cli.admin.policy_check import check_policy
from vault.cli.admin.recipient_check import check_recipient
from vault.cli.admin.review_check import check_reviews
from vault.cli.admin.role_check import check_roles
from vault.cli.admin.ticket_check import check_tickets
from vault.cli.admin.wraps_check import check_wraps
from vault.cli.exits import plain
from vault.cli.output import emit, json_option
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.settings import Settings

_MARKS = {Level.OK: ("✓", "green"), Level.WARN: ("!", "yellow"), Level.FAIL: ("✗", "red")}


@click.command()
@config_option
@click.option("--deep", is_flag=True, help="Examine every entry of the log as well.")
@click.option(
    "--replay", is_flag=True, help="Replay the log, and compare what it leads to with the database."
)
@json_option
def doctor(config: str | None, *, deep: bool, replay: bool, as_json: bool) -> None:
    """Look at settings, keys, database, log, clock, disk and people, and say what to do."""
    findings: list[Finding] = []
    replayed: dict[str, Any] = {}
    for finding in _all(config, replayed if replay else None, deep=deep):
        findings.append(finding)
        if not as_json:
            _tell(finding)
    faults = sum(1 for finding in findings if finding.level is Level.FAIL)
    warnings = sum(1 for finding in findings if finding.level is Level.WARN)
    if as_json:
        told = [{"check": f.name, "level": f.level, "words": f.words, "next": f.next} for f in findings]
        answer = {"healthy": not faults, "faults": faults, "warnings": warnings, "findings": told}
        emit(answer | ({"replay": replayed} if replay else {}))
    else:
        click.echo(f"{_counted(faults, 'fault')}, {_counted(warnings, 'warning')}.")
    if faults:
        raise click.exceptions.Exit(1)


def _all(config: str | None, replayed: dict[str, Any] | None, *, deep: bool) -> Iterator[Finding]:
    try:
        settings: Settings = settings_of(config)
    except Refused as error:
        yield Finding("settings", Level.FAIL, error.detail, "See docs/settings.md.")
        return
    broken = False
    for finding in (*check_ground(settings), *check_keys(settings), *check_disk(settings)):
        broken = broken or (finding.level is Level.FAIL and finding.name in {"data directory", "log key"})
        yield finding
    if broken:
        return
    for finding in check_database(settings):
        broken = broken or finding.level is Level.FAIL
        yield finding
    if broken:
        return
    yield from check_policy(settings)
    yield from check_wraps(settings)
    yield from check_recipient(settings)
    yield from check_destroyed(settings)
    faults = 0
    for finding in check_trail(settings, deep=deep):
        faults += finding.level is Level.FAIL and finding.name == "log entries"
        yield finding
    if deep:
        yield from record_examined(settings, faults)
    if replayed is not None:
        yield from check_state(settings, replayed)
    yield from check_people(settings)
    yield from check_reviews(settings)
    yield from check_cloud(settings)
    yield from check_inspection(settings)
    yield from check_roles(settings)
    yield from check_feeds(settings)
    yield from check_tickets(settings)
    yield from check_mail(settings)
    yield from check_notices(settings)
    yield from check_outside(settings)


def _tell(finding: Finding) -> None:
    mark, colour = _MARKS[finding.level]
    click.echo(f"{click.style(mark, fg=colour)} {finding.name:<14} {plain(finding.words)}")
    if finding.next:
        click.echo(f"  {'':<14} {plain(finding.next)}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
