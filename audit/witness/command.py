"""`python -m audit witness`: make a witness, and serve as one.

    python -m audit witness init --name NAME --key-file FILE --state DIR
    python -m audit witness serve --state DIR --key-file FILE --log VKEY... [--listen 127.0.0.1:8410]

`init` makes the key and an empty memory and prints the vkey, which is given to whoever writes the log. `serve` refuses
to start without both, and where the memory is not whole: a witness that forgot is worse than none.

Exit status: 0 it was told to end; 2 it could not begin, and says why.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError, WitnessRefused
from audit.note import Cosigner, Verifier, read_cosigner, write_key
from audit.witness.judge import Judge
from audit.witness.memory import Memory
from audit.witness.server import Server, to_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

LISTEN: Final = "127.0.0.1:8410"
_ADDRESS: Final = re.compile(r"\[?([0-9A-Za-z.:-]+?)\]?:([0-9]{1,5})", re.ASCII)
_LARGEST_PORT: Final = 65_535
DONE: Final = 0
REFUSED: Final = 2


def add_witness(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `python -m audit`; `run` of what it parsed does it."""
    witness = commands.add_parser("witness", help="be a witness of other people's logs")
    actions = witness.add_subparsers(dest="action", required=True)
    init = actions.add_parser("init", help="make a key and an empty memory, and print the vkey")
    init.add_argument("--name", required=True, help="such as witness.example/w1; it cannot be changed later")
    serve = actions.add_parser("serve", help="cosign what continues what was cosigned before")
    serve.add_argument(
        "--log",
        action="append",
        required=True,
        metavar="VKEY",
        help="a log's public key; all keys of each log",
    )
    serve.add_argument("--listen", default=LISTEN, metavar="ADDRESS:PORT", help=f"by default {LISTEN}")
    for each, run in ((init, _init), (serve, _serve)):
        each.add_argument(
            "--key-file", required=True, type=Path, metavar="FILE", help="the witness's own key"
        )
        each.add_argument("--state", required=True, type=Path, metavar="DIR", help="the witness's memory")
        each.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Do what was parsed and return the exit status."""
    do: Callable[[argparse.Namespace], None] = chosen.run
    try:
        do(chosen)
    except (AuditError, OSError) as error:
        words = error.words if isinstance(error, AuditError) else str(error)
        sys.stderr.write(f"python -m audit witness: {ascii(words)[1:-1]}\n")
        return REFUSED
    return DONE


def _init(chosen: argparse.Namespace) -> None:
    if chosen.key_file.exists():
        raise WitnessRefused("witness.key", f"{chosen.key_file} is there already: a key is never made over")
    cosigner = Cosigner.generate(chosen.name)
    Memory.create(chosen.state, cosigner.vkey)
    write_key(chosen.key_file, cosigner)
    sys.stdout.write(f"{cosigner.vkey}\n")


def _serve(chosen: argparse.Namespace) -> None:
    address = _ADDRESS.fullmatch(chosen.listen)
    if address is None or int(address[2]) > _LARGEST_PORT:
        raise WitnessRefused("witness.address", f"--listen wants ADDRESS:PORT, such as {LISTEN}")
    cosigner = read_cosigner(chosen.key_file)
    logs = [Verifier.parse(vkey) for vkey in chosen.log]
    with Memory(chosen.state, cosigner.vkey) as memory:
        judge = Judge(cosigner, memory, logs)
        with Server((address[1], int(address[2])), judge) as server:
            signal.signal(signal.SIGTERM, _end)
            to_stderr(
                {"serving": server.url, "vkey": cosigner.vkey, "logs": sorted({log.name for log in logs})}
            )
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                to_stderr({"ended": server.url})


def _end(*_: object) -> None:
    raise KeyboardInterrupt
