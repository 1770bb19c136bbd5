"""The worker's jobs: what is done again and again beside the service, each in a thread of its own.

Decided here: which jobs there are and how often each runs. No job waits for another, so that a place outside
that hangs cannot keep leases from being written down. A job that fails, whatever the reason, says so and is
tried again, after a pause that doubles up to five minutes; no other job hears of it. What nobody foresaw is
told by its type and place in the program, never by its words, which could hold a value. Only what ends a
program (KeyboardInterrupt and its like) ends all jobs. Told to stop, jobs have ten seconds; one that hangs in the
network then is left behind. Never done here: the work, or a rule.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vault.bootstrap.open import note_policy
from vault.cli.exits import plain
from vault.errors import VaultError

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.ports.anchors import Anchor, Copy
    from vault.ports.feeds import Feed
    from vault.services.sweep import Swept


INDEX_SECONDS: Final = 30
POLICY_SECONDS: Final = 10


MINUTE: Final = 60
TICKET_SECONDS: Final = 5


LONGEST_PAUSE: Final = 300
"""Seconds between two tries of a job that fails again and again."""


_HERE: Final = Path(__file__).parents[2]
STOP_SECONDS: Final = 10.0
"""How long jobs are waited for, all together, once they are to stop."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do every so many seconds."""

    name: str
    seconds: int
    once: Callable[[Vault], object]


def jobs_of(vault: Vault) -> tuple[Job, ...]:
    """List the jobs of a vault with these settings."""
    settings = vault.settings
    return (
        Job("sweep", settings.worker.interval_seconds, sweep_all),
        *_outside(vault),
        Job("index", INDEX_SECONDS, index_all),
        Job("days", MINUTE, lambda at: at.days.once()),
        Job("policy", POLICY_SECONDS, note_policy),
        Job("clocks", MINUTE, lambda at: at.clocks.once()),
        Job("proofs", MINUTE, lambda at: at.proving.once()),
        Job("handovers", MINUTE, lambda at: at.releases.handed_over.once()),
        Job("closures", MINUTE, lambda at: at.closures_over.once()),
        Job("destroyed", MINUTE, lambda at: at.destructions.once()),
        Job("campaigns", MINUTE, lambda at: at.campaigns_over.once()),
        Job("reminders", 15 * MINUTE, lambda at: at.reminders.once()),
        *_reconciling(vault),
        *_inspecting(vault),
        *_telling(vault),
        *_mail(vault),
        *(Job(f"feed {feed.name}", 1, partial(deliver, feed)) for feed in vault.feeds.feeds),
    )


def _mail(vault: Vault) -> Iterator[Job]:
    """List the jobs of mail to root addresses: what time has done to it, and what tickets are told."""
    yield Job("mailbox", MINUTE, lambda at: (at.mails.close_abandoned(), at.mails.empty_old()))
    if vault.mail_telling.is_set:
        yield Job("mailbox tickets", TICKET_SECONDS, lambda at: at.mail_telling.once())


def _reconciling(vault: Vault) -> Iterator[Job]:
    """List the job that compares AWS's own records with the log, where any are read."""
    if vault.reconciliation.sources:
        seconds = vault.settings.cloud.interval_seconds
        yield Job("reconcile", seconds, lambda at: at.reconciliation.once())


def _inspecting(vault: Vault) -> Iterator[Job]:
    """List the job that looks at accounts through their roles, where a role is named."""
    if vault.inspecting.inspector is not None:
        yield Job("inspect", MINUTE, lambda at: at.inspecting.once())


def _telling(vault: Vault) -> Iterator[Job]:
    """List the jobs of notices: each channel has a thread of its own, so that none waits for a slow other."""
    yield Job("notices", 1, lambda at: at.telling.once())
    if vault.sending.mailer is not None:
        yield Job("notices mail", 1, lambda at: at.sending.mail())
    if vault.sending.room is not None:
        yield Job("notices webhook", 1, lambda at: at.sending.tell())
    yield Job("notices sweep", 15 * MINUTE, lambda at: at.sending.sweep())


def _outside(vault: Vault) -> Iterator[Job]:
    """List the jobs that take checkpoints outside: each place has a thread of its own, however slow another is."""
    pace = vault.settings.log.publish_seconds
    yield Job("publish", pace, lambda at: at.publishing.publish())
    for anchor in vault.publishing.anchors:
        yield Job(anchor.name, pace, partial(_confirm, anchor))
    for place in vault.offsite.places:
        yield Job(place.name, pace, partial(_copy, place))
    if vault.settings.anchors.mail_to:
        yield Job("mail", vault.settings.worker.interval_seconds, lambda at: at.daily_note.once())


def _confirm(anchor: Anchor, vault: Vault) -> object:
    return vault.publishing.deliver(anchor)


def _copy(place: Copy, vault: Vault) -> object:
    return vault.offsite.once(place)


@dataclass(slots=True)
class Jobs:
    """Jobs that run until they are told to stop."""

    vault: Vault
    stop: threading.Event = field(default_factory=threading.Event)
    failures: list[BaseException] = field(default_factory=list)
    patience: float = STOP_SECONDS

    def run(self, jobs: tuple[Job, ...], is_over: Callable[[float], bool]) -> None:
        """Run each job in its thread until `is_over`, which waits the seconds it is given, says so.

        Raises what ended all jobs, after they stopped, or `patience` seconds were over.
        """
        threads = [
            threading.Thread(target=self._keep, args=(job,), name=job.name, daemon=True) for job in jobs
        ]
        for thread in threads:
            thread.start()
        while not self.stop.is_set() and not is_over(1.0):
            continue
        self.stop.set()
        until = time.monotonic() + self.patience
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        left = [thread.name for thread in threads if thread.is_alive()]
        if left:
            click.echo(f"worker: stopped without waiting longer for: {', '.join(left)}", err=True)
        if self.failures:
            raise self.failures[0]

    def _keep(self, job: Job) -> None:
        failed = 0
        try:
            while not self.stop.is_set():
                failed = 0 if attempt(self.vault, job, failed) else failed + 1
                self.stop.wait(pause(job.seconds, failed))
        except BaseException as failure:  # noqa: BLE001 - raised again by `run`, in the main thread
            self.failures.append(failure)
            self.stop.set()


def pause(seconds: int, failed: int) -> int:
    """Give the seconds until a job's next try, after it failed so many times in a row."""
    return seconds if failed == 0 else max(seconds, min(LONGEST_PAUSE, 2 ** min(failed - 1, 9)))


def attempt(vault: Vault, job: Job, failed: int = 0) -> bool:
    """Do a job once; False where it failed, which is said, with how often it did so in a row before."""
    try:
        vault.book.refresh(vault.units)
        job.once(vault)
    except VaultError as error:
        words = f"{error.detail} [{error.code}]"
    except Exception as failure:  # noqa: BLE001 - one job's failure is not the others'
        words = f"{type(failure).__name__} at {_place(failure)}"
    else:
        return True
    again = f"; failure {failed + 1} in a row" if failed else ""
    click.echo(f"worker: {job.name}: {plain(words)}{again}", err=True)
    return False


def _place(failure: Exception) -> str:
    """Name the innermost line of our program that a failure came by, without its words."""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [each for each in frames if f"{_HERE}/" in each.filename] or list(frames)
    return "/".join(Path(ours[-1].filename).parts[-3:]) + f":{ours[-1].lineno}" if ours else "no line"


def index_all(vault: Vault) -> int:
    """Index every full part of the log that is not in the search index; give how many."""
    count = 0
    while vault.indexing.once():
        count += 1
    return count


def sweep_all(vault: Vault) -> tuple[int, int]:
    """Sweep until a pass finds nothing more; give the checkouts and disclosures that were written."""
    checkouts = reveals = 0
    while True:
        swept: Swept = vault.sweep.once()
        checkouts += swept.checkouts
        reveals += swept.reveals
        if not swept.checkouts and not swept.reveals:
            return checkouts, reveals


def deliver(feed: Feed, vault: Vault) -> int:
    """Send one feed what it has not got yet; give the number of entries that arrived."""
    return vault.feeds.deliver(feed)
