"""Own one PostgreSQL server for as long as standard input stays open, then remove every trace of it.

Run by `tests/support/postgres.py` as a program of its own: `keeper.py BINARIES HOME FSYNC [USER]`. Prints
`ready PID` or what went wrong. The server is stopped the immediate way: its data is thrown away the next
moment.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO, Never

START_LIMIT_SECONDS = 50
STOP_LIMIT_SECONDS = 10

SETTINGS = {
    "autovacuum": "off",  # tests are shorter than its naps, and its work would blur measured statements
    "checkpoint_timeout": "1h",
    "io_method": "sync",  # no pool of I/O processes for a server this small
    "listen_addresses": "",
    "max_connections": "80",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "shared_buffers": "64MB",
    "synchronous_commit": "on",
    "timezone": "Europe/Vienna",  # not UTC, so that code which leans on the server's zone is found out
    "wal_level": "minimal",
}


def main(binaries: Path, home: Path, fsync: str, user: str | None) -> None:
    """Serve until standard input ends."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    data = home / "data"
    log = home / "log"
    try:
        with log.open("wb") as output:
            _initialise(binaries, data, output, user)
            settings = SETTINGS | {"fsync": fsync, "unix_socket_directories": str(home)}
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                cwd=home,
            )
        try:
            _await_ready(server, data / "postmaster.pid")
            print("ready", server.pid, flush=True)
            sys.stdin.read()
        finally:
            _stop(server)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"{error}\n{log.read_text(errors='replace') if log.exists() else ''}", flush=True)
        sys.exit(1)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _initialise(binaries: Path, data: Path, output: BinaryIO, user: str | None) -> None:
    subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "--no-instructions",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        user=user,
        cwd=data.parent,
    )


def _await_ready(server: subprocess.Popen[bytes], pid_file: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"postgres ended with status {server.returncode}")
        if pid_file.exists() and pid_file.read_text().split()[-1:] == ["ready"]:
            return
        time.sleep(0.01)
    raise RuntimeError(f"postgres was not ready after {START_LIMIT_SECONDS} seconds")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(STOP_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _leave(*_: object) -> Never:
    raise SystemExit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)
