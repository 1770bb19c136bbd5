"""`rootvault demo`: a fresh vault, a small world, the whole story once, then a running vault to look at.

Decided here: everything goes through the same use cases as the web; the story is told in the recent past
(see `clock`), so nobody waits for codes; keys are local, and the banner says so. Nothing outside the data
directory is touched, and a directory that holds something is refused, so that no real vault is mistaken
for a demonstration.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import click

from vault.bootstrap.calendar import open_calendar
from vault.bootstrap.inspection import read_defaults
from vault.cli.admin.demo.afterwards import acknowledge, destroy, put_back
from vault.cli.admin.demo.aws.state import REGIONS, Cloud
from vault.cli.admin.demo.before import a_week_before, the_same_day, three_months_ago
from vault.cli.admin.demo.cast import assemble, enrol_administrators
from vault.cli.admin.demo.clock import StoryClock
from vault.cli.admin.demo.cloudtrail import CloudTrail
from vault.cli.admin.demo.console import Console
from vault.cli.admin.demo.farewell import ROLE, furnish_all, last_day, leave, reached
from vault.cli.admin.demo.mailroom import SERVER
from vault.cli.admin.demo.months import AGO, pass_days
from vault.cli.admin.demo.postbox import Postbox, delivering
from vault.cli.admin.demo.scenes import Act
from vault.cli.admin.demo.stage import Stage
from vault.cli.admin.demo.state import describe, write
from vault.cli.admin.demo.story import play
from vault.cli.admin.demo.trouble import enable
from vault.cli.admin.demo.upkeep import split_identity
from vault.cli.admin.demo.witness import Witness, running
from vault.cli.admin.demo.world import DOMAIN, ORIGIN, PEOPLE
from vault.cli.admin.founding import found
from vault.cli.admin.serve import run
from vault.cli.exits import Failure
from vault.cli.output import emit, json_option
from vault.domain.secret import Secret
from vault.settings import FILE, PREFIX, Settings, parse_settings, shipped_directory

PORT: Final = 8400
CLOUD: Final = "cloudtrail"
LETTERS: Final = "letters"
BANNER: Final = (
    "DEMONSTRATION. Keys lie in a local file, so whoever reads that file opens every envelope.\n"
    "Accounts, people and the AWS console are made up. Never put a real credential in here."
)
_SETTINGS: Final = """\
# A demonstration's settings; `rootvault doctor --config` works on it as on any other vault.
environment = "demo"
data_directory = "data"
policy_file = "policy.toml"

[server]
public_url = "http://127.0.0.1:{port}"
host = "127.0.0.1"
port = {port}
workers = 1
trusted_hosts = ["127.0.0.1", "localhost"]

[keys]
service = "local"

[log]
origin = "{origin}"

[anchors]
file = "{elsewhere}/checkpoints"

[cloud]
folders = ["{cloud}"]
interval_seconds = 30
wait_seconds = 900

[onboarding]
root_address = "aws+{{account}}-{{random}}@{domain}"

[mailbox]
domains = ["{domain}"]
authserv_id = "{server}"

{own}
# a mail server; what it took lies in a folder
[mail]
server = "{mail}"
security = "none"
sender = "rootvault@{domain}"

# a small AWS, for what the vault looks at and does there
[inspection]
role = "{role}"
regions = {regions}
endpoint = "{aws}"

[offboarding]
role = "{role}"
addresses = ["@{domain}"]
endpoint = "{aws}"

[keyless]
role = "{role}"
endpoint = "{aws}"
"""
_OWN: Final = "# What follows is served by the demonstration itself, and gone with it."
_WITNESSES: Final = '[anchors]\nwitnesses = ["{witness}"]\n'


@click.command()
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="A new directory; else a temporary one."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=PORT,
    show_default=True,
    help="0 takes any that is free.",
)
@click.option("--once", is_flag=True, help="The story only.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what a program needs to FILE (0600).",
)
@json_option
def demo(data: Path | None, port: int, state: Path | None, *, once: bool, as_json: bool) -> None:
    """Make a small world, tell the whole story, and serve it on 127.0.0.1 until interrupted.

    Exit status 1 if any step failed. The state file holds passwords, seeds and tokens of the made-up world.
    """
    if not as_json:
        click.secho(BANNER, fg="yellow", bold=True)
    if state is not None and not state.absolute().parent.is_dir():
        detail = f"There is no directory {state.absolute().parent} for the state file."
        raise Failure("operation.failed", detail, exit_status=2)
    port = port if once else _own_port(port)
    with _directory(data) as directory, ExitStack() as ends:
        cloud = Cloud()
        box = Postbox(directory / LETTERS)
        box.folder.mkdir(mode=0o700)
        addresses = ends.enter_context(reached(cloud)), ends.enter_context(delivering(box))
        settings = _prepare(directory, port, *addresses)
        ends.enter_context(_left_alone(directory))
        act, eye = _tell(settings, directory, Stage(as_json=as_json), ends, (cloud, box))
        known = describe(act, None)
        act.vault.close()
        if state is not None:
            write(state, known)
        act.stage.note(f"\n{act.stage.steps} steps, all of them good.")
        if once:
            return

        def ready(host: str, real_port: int) -> None:
            address = f"http://{host}:{real_port}"
            if state is not None:
                write(state, {**known, "base_url": address})
            if as_json:
                emit({"base_url": address, "state": None if state is None else str(state)})
                return
            _welcome(act, address, state, box)

        settings = _watched(directory, eye)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        run(settings, port, ready, sweeping=True, environment=clean)


def _tell(
    settings: Settings, directory: Path, stage: Stage, ends: ExitStack, outside: tuple[Cloud, Postbox]
) -> tuple[Act, Witness]:
    recent = StoryClock().recent
    day = last_day(open_calendar(settings), recent)
    clock = StoryClock(begins=day - AGO)
    stage.scene("A new vault")
    with stage.step("Keys, database and log are made; two administrators are invited") as told:
        admins = tuple((part.email, part.name) for part in PEOPLE[:2])
        founded = found(settings, admins, clock)
        told(f"{len(founded.made)} key files of mode 0600; log {founded.vault.origin}")
    vault = founded.vault
    try:
        stage.scene("People")
        cast = enrol_administrators(vault, clock, stage, founded.administrators)
        assemble(vault, clock, stage, cast)
        enable(vault, stage, cast)
        shares = split_identity(vault, stage, cast)
        act = Act(vault, clock, stage, cast, Console(CloudTrail(directory / CLOUD)))
        witness = ends.enter_context(running(directory / "witness", vault.vkey))
        cloud, box = outside
        wanted = read_defaults(settings)
        furnish_all(cloud, wanted)
        begun = three_months_ago(act, cloud, day)
        a_week_before(act, begun, cloud, wanted, day)
        goodbye, backup = leave(act, cloud, settings, directory, day)
        acknowledge(goodbye, box)
        destroy(goodbye)
        put_back(act, directory, backup)
        the_same_day(act, begun, cloud)
        pass_days(act, recent)
        play(act, directory, witness.client, shares)
    except BaseException:
        vault.close()
        raise
    return act, witness


def _own_port(wanted: int) -> int:
    """Look before the story whether the port is free; for 0 choose one, because the settings name it."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", wanted))
        except OSError as failure:
            detail = (
                f"Port {wanted} cannot be used ({failure.strerror}). Name another with --port; 0 takes any."
            )
            raise Failure("operation.failed", detail, exit_status=2) from None
        return int(taken.getsockname()[1])


@contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    """Give a directory of our own: a new one of this name, or a temporary one that is removed afterwards."""
    if data is not None:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            occupied = any(data.iterdir())
        except OSError as failure:
            raise Failure(
                "operation.failed", f"{data} cannot be used ({failure.strerror}).", exit_status=2
            ) from None
        if occupied:
            detail = (
                f"{data} is not empty: a demonstration begins in a new directory. Name another, or remove it."
            )
            raise Failure("operation.failed", detail, exit_status=2)
        yield data.resolve()
        return
    directory = Path(tempfile.mkdtemp(prefix="rootvault-demo-"))
    owner = os.getpid()
    try:
        yield directory
    finally:
        # workers leave by the same way, and it is not theirs to remove
        if os.getpid() == owner:
            shutil.rmtree(directory, ignore_errors=True)


def _prepare(directory: Path, port: int, aws: str, mail: str) -> Settings:
    elsewhere = directory / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    text = _SETTINGS.format(
        port=port,
        origin=ORIGIN,
        elsewhere=elsewhere,
        cloud=directory / CLOUD,
        aws=aws,
        mail=mail,
        role=ROLE,
        regions=json.dumps(REGIONS),
        own=_OWN,
        domain=DOMAIN,
        server=SERVER,
    )
    (directory / CLOUD).mkdir()
    (directory / FILE).write_text(text, encoding="utf-8")
    for name in ("policy.toml", "defaults.toml"):
        shutil.copyfile(shipped_directory() / name, directory / name)
    return _parsed(directory)


def _watched(directory: Path, witness: Witness) -> Settings:
    """Add the witness to the settings: it is there while we serve, and its clock is the real one."""
    path = directory / FILE
    lines = _WITNESSES.format(witness=f"{witness.url} {witness.vkey}")
    path.write_text(path.read_text(encoding="utf-8").replace("[anchors]\n", lines), encoding="utf-8")
    return _parsed(directory)


@contextmanager
def _left_alone(directory: Path) -> Iterator[None]:
    """Take out of the settings, at the end, whatever was only there while we were."""
    owner = os.getpid()
    try:
        yield
    finally:
        # workers leave by the same way, and it is not theirs to end
        if os.getpid() == owner:
            path = directory / FILE
            kept = path.read_text(encoding="utf-8").partition(_OWN)[0].splitlines(keepends=True)
            path.write_text(
                "".join(each for each in kept if not each.startswith("witnesses")), encoding="utf-8"
            )


def _parsed(directory: Path) -> Settings:
    # the environment has no say, so that a demonstration never reaches a real vault's database
    return parse_settings(tomllib.loads((directory / FILE).read_text(encoding="utf-8")), directory, {})


def _welcome(act: Act, address: str, state: Path | None, box: Postbox) -> None:
    click.secho(f"\n{address}", bold=True)
    click.echo("Sign in as any of these; the code is that of the seed (type it into an authenticator).\n")
    for player in act.cast.players.values():
        click.echo(f"  {player.part.role:<10}  {player.part.email:<34}  {_shown(player.password)}")
        click.echo(f"  {'':<10}  seed {_shown(player.seed)}")
    click.echo(f"\nLetters that it sends, the customer's among them: {box.folder}")
    if state is not None:
        click.echo(f"Tokens and everything else: {state}")
    click.echo("Ctrl-C stops it.")


def _shown(secret: Secret[str]) -> str:
    """Show a made-up person's secret: without it nobody could sign in to the demonstration."""
    return secret.expose()
