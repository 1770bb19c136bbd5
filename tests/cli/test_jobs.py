"""The worker's jobs, and the process that they run in: no failure of one ends another, and stopping is bounded."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tests.support.world import rules
from vault.cli.admin.jobs import Job, Jobs, attempt, pause
from vault.cli.admin.serve import Keeper
from vault.cli.admin.worker import worker
from vault.cli.exits import Failure
from vault.errors import Conflict, Invalid, Unavailable, VaultError
from vault.services.policy_book import FixedPolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vault.bootstrap import Vault

NO_VAULT = cast("Vault", SimpleNamespace(book=FixedPolicy(rules()[1]), units=None))
"""Enough of one for a job that asks it nothing."""
FAILURES = (
    Conflict("concurrent.change", "Try again."),
    Invalid("input.invalid", "No."),
    Unavailable("database.unavailable", "Gone."),
    RuntimeError("a value that nobody should read"),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "a value that nobody should read"),
)


def failing(failure: BaseException) -> Callable[[Vault], object]:
    """Make what a job does that fails like this."""

    def once(_: Vault) -> object:
        raise failure

    return once


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: type(each).__name__)
def test_a_failure_is_said_and_the_other_jobs_go_on(
    failure: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    done: list[float] = []
    until = time.monotonic() + 20
    jobs = Jobs(NO_VAULT)

    def count(_: Vault) -> None:
        done.append(time.monotonic())
        time.sleep(0.01)

    good = Job("good", 0, count)
    jobs.run(
        (Job("bad", 0, failing(failure)), good),
        lambda _: jobs.stop.wait(0.2) or len(done) > 3 or time.monotonic() > until,
    )
    assert len(done) > 3
    said = capfd.readouterr().err
    assert said.startswith("worker: bad: ")
    assert "nobody should read" not in said
    if isinstance(failure, VaultError):
        assert failure.code in said
    else:
        assert f"{type(failure).__name__} at " in said
        assert "admin/jobs.py:" in said


def test_failures_in_a_row_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    job = Job("bad", 1, failing(ValueError()))
    assert [attempt(NO_VAULT, job, before) for before in (0, 1)] == [False, False]
    first, second = capfd.readouterr().err.splitlines()
    assert "in a row" not in first
    assert second.endswith("; failure 2 in a row")
    assert attempt(NO_VAULT, Job("good", 1, lambda _: None))


def test_the_pause_doubles_up_to_five_minutes() -> None:
    assert [pause(1, failed) for failed in (0, 1, 2, 3, 9, 10, 5_000)] == [1, 1, 2, 4, 256, 300, 300]
    assert [pause(60, failed) for failed in (0, 1, 7, 8)] == [60, 60, 64, 128]
    assert pause(3_600, 4) == 3_600


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_a_program_ends_all(failure: BaseException) -> None:
    jobs = Jobs(NO_VAULT)
    with pytest.raises(type(failure)):
        jobs.run(
            (Job("ended", 1, failing(failure)), Job("good", 1, lambda _: None)), lambda _: jobs.stop.wait(5)
        )


def test_a_job_that_hangs_does_not_keep_the_worker(capfd: pytest.CaptureFixture[str]) -> None:
    freed = threading.Event()
    jobs = Jobs(NO_VAULT, patience=0.2)
    began = time.monotonic()
    jobs.run((Job("hangs", 1, lambda _: freed.wait(20)), Job("good", 1, lambda _: None)), lambda _: True)
    assert time.monotonic() - began < 5
    assert capfd.readouterr().err == "worker: stopped without waiting longer for: hangs\n"
    freed.set()


def test_a_process_that_ended_is_started_again_until_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    started: list[subprocess.Popen[bytes]] = []
    third = threading.Event()

    def start() -> subprocess.Popen[bytes]:
        words = "pass" if len(started) < 2 else "import time; time.sleep(60)"
        started.append(subprocess.Popen([sys.executable, "-c", words]))
        if len(started) == 3:
            third.set()
        return started[-1]

    keeper = Keeper(start, first=0.05)
    keeper.begin()
    assert third.wait(30)
    keeper.end()
    assert len(started) == 3
    assert started[-1].poll() is not None
    said = capfd.readouterr().err.splitlines()
    assert [line.rpartition(" after ")[2] for line in said] == ["0.05 s", "0.1 s"]


def test_nothing_is_started_again_after_the_end() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "pass"]))
        return started[-1]

    keeper = Keeper(start, first=30)
    keeper.begin()
    started[0].wait(30)
    time.sleep(0.5)  # it waits for the pause to be over by now
    began = time.monotonic()
    keeper.end()
    assert time.monotonic() - began < 5
    assert len(started) == 1


def test_a_worker_that_runs_once_says_by_its_exit_what_it_could_not_do(
    vault_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.cli.admin.worker.attempt", lambda _, job: job.name != "publish")
    with pytest.raises(Failure, match="Not everything could be done: publish") as caught:
        worker.main(["--once", "--config", str(vault_directory)], standalone_mode=False)
    assert caught.value.exit_status == 1
