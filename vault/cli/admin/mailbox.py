"""`rootvault mailbox`: takes in mail to root addresses, over SMTP and LMTP on this machine and from SES's queue.

A process of its own: what anybody may write is read beside the service, not within it. Nothing is answered, and nothing
deleted from the queue, before it is kept; whoever stops this process loses no mail.
"""

from __future__ import annotations

import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import click

from vault.bootstrap import open_vault
from vault.bootstrap.mailbox import open_queue, open_receiver
from vault.cli.admin.host import config_option, settings_of
from vault.cli.admin.jobs import Job, Jobs
from vault.cli.output import emit, json_option
from vault.errors import Limited, NotFound, Refused

if TYPE_CHECKING:
    from vault.adapters.mailbox.receiver import Receiver
    from vault.bootstrap import Vault
    from vault.ports.mail import MailQueue

_WAIT = 10
"""Seconds that one question of the queue waits for a message."""


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Take what SES's queue holds now, and stop; nothing listens.")
@json_option
def mailbox(config: str | None, *, once: bool, as_json: bool) -> None:
    """Take in mail to root addresses until told to stop."""
    settings = settings_of(config)
    vault = open_vault(settings)
    try:
        receiver, queue = open_receiver(vault), open_queue(settings)
        if receiver is None and queue is None:
            words = "Name where mail comes in: mailbox.listen or mailbox.queue (docs/mailbox.md)."
            raise Refused("settings.invalid", words)
        if once:
            _told({"taken": 0 if queue is None else drain(queue, vault)}, as_json=as_json)
            return
        _run(vault, receiver, queue, as_json=as_json)
    finally:
        vault.close()


def drain(queue: MailQueue, vault: Vault) -> int:
    """Take from a queue until it is empty; give how many messages were kept and deleted."""
    count = 0
    while taken := take(queue, vault, 0):
        count += taken
    return count


def take(queue: MailQueue, vault: Vault, seconds: int = _WAIT) -> int:
    """Take one batch of a queue's messages: each is kept, then deleted. What cannot be kept stays there."""
    count = 0
    for delivered in queue.take(seconds):
        try:
            vault.mailbox.take_along(delivered)
        except (Limited, NotFound):
            continue
        queue.done(delivered)
        count += 1
    return count


def _run(vault: Vault, receiver: Receiver | None, queue: MailQueue | None, *, as_json: bool) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    jobs = () if queue is None else (Job("ses", 1, partial(take, queue)),)
    if receiver is not None:
        receiver.start()
    try:
        place = "nowhere" if receiver is None else receiver.listening.address
        _told({"listen": place, "port": 0 if receiver is None else receiver.port}, as_json=as_json)
        Jobs(vault, stop).run(jobs, lambda seconds: _over(receiver, stop, seconds))
    finally:
        if receiver is not None:
            receiver.close()


def _over(receiver: Receiver | None, stop: threading.Event, seconds: float) -> bool:
    """Wait; say whether it is time to stop. What nobody foresaw while taking mail in is told by its type."""
    if receiver is not None:
        while receiver.failures:
            click.echo(f"mailbox: {receiver.failures.pop()}; the sender keeps the mail", err=True)
        if not receiver.is_running:
            raise Refused("operation.failed", "Nothing listens any more; start it again.")
    return stop.wait(seconds)


def _told(words: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        emit(words)
        return
    click.echo(", ".join(f"{name} {value}" for name, value in words.items()))
