"""The worker's jobs: what is done again and again beside the service, each in a thread of its own.

Decided here: which jobs there are and how often each runs. No job waits for another, so that a place outside
that hangs cannot keep leases from being written down. A job tries again after what is unavailable comes
back, and says so once for each time it fails; any other failure ends the whole worker, which is started
again from outside. Never done here: the work, or a rule.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from vault.errors import Unavailable

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.ports.anchors import Anchor, Copy
    from vault.ports.feeds import Feed
    from vault.services.sweep import Swept


INDEX_SECONDS: Final = 30


MINUTE: Final = 60


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
        Job("clocks", MINUTE, lambda at: at.clocks.once()),
        *_reconciling(vault),
        *(Job(f"feed {feed.name}", 1, partial(deliver, feed)) for feed in vault.feeds.feeds),
    )


def _reconciling(vault: Vault) -> Iterator[Job]:
    """List the job that compares AWS's own records with the log, where any are read."""
    if vault.reconciliation.sources:
        seconds = vault.settings.cloud.interval_seconds
        yield Job("reconcile", seconds, lambda at: at.reconciliation.once())


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

    def run(self, jobs: tuple[Job, ...], is_over: Callable[[float], bool]) -> None:
        """Run each job in its thread until `is_over`, which waits the seconds it is given, says so.

        Raises what ended a job, after the others have stopped.
        """
        threads = [threading.Thread(target=self._keep, args=(job,), name=job.name) for job in jobs]
        for thread in threads:
            thread.start()
        while not self.stop.is_set() and not is_over(1.0):
            continue
        self.stop.set()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _keep(self, job: Job) -> None:
        try:
            while not self.stop.is_set():
                attempt(self.vault, job)
                self.stop.wait(job.seconds)
        except BaseException as failure:  # noqa: BLE001 - raised again by `run`, in the main thread
            self.failures.append(failure)
            self.stop.set()


def attempt(vault: Vault, job: Job) -> object:
    """Do a job once; what is unavailable is said and left for the next time."""
    try:
        return job.once(vault)
    except Unavailable as error:
        click.echo(f"worker: {job.name}: {error.detail} [{error.code}]", err=True)
        return None


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
