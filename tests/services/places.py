"""Places outside that a story can switch off for an hour: a witness, a bucket, a file, all real and on this machine."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from audit.note import Cosigner
from audit.witness.client import Client
from audit.witness.judge import Judge
from audit.witness.memory import Memory
from audit.witness.server import Server
from tests.support.places import Cloud, ours
from vault.adapters.anchors.bucket import BucketAnchor
from vault.adapters.anchors.file import FileAnchor
from vault.adapters.anchors.witness import WitnessAnchor

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World
    from vault.ports.anchors import Anchor


class Keeper(Protocol):
    """A place that keeps checkpoints, with a switch."""

    def anchor(self, world: World) -> Anchor:
        """Give our side of it."""
        ...

    def up(self) -> None:
        """Answer."""
        ...

    def down(self) -> None:
        """Be gone."""
        ...


@dataclass(slots=True)
class WitnessKeeper:
    """A witness whose clock is the world's."""

    world: World
    directory: Path
    port: int = 0
    journal: list[dict[str, Any]] = field(default_factory=list)
    name: str = "witness.auditor.example/w1"
    _running: tuple[Server, threading.Thread, Memory] | None = None

    @property
    def cosigner(self) -> Cosigner:
        """The witness's key."""
        return Cosigner.from_seed(self.name, b"w" * 32)

    def anchor(self, world: World) -> WitnessAnchor:
        """Give our side of it."""
        url = f"http://127.0.0.1:{self.port}"
        client = Client(
            url, self.cosigner.verifier, timeout=2.0, now=lambda: self.world.clock.now().timestamp()
        )
        return WitnessAnchor(client, ours(world))

    def up(self) -> None:
        """Serve, on the port that it had."""
        if not self.directory.exists():
            Memory.create(self.directory, self.cosigner.vkey)
        memory = Memory(self.directory, self.cosigner.vkey)
        memory.__enter__()
        judge = Judge(
            self.cosigner, memory, ours(self.world).verifiers, lambda: self.world.clock.now().timestamp()
        )
        server = Server(("127.0.0.1", self.port), judge, self.journal.append)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self._running = server, thread, memory

    def down(self) -> None:
        """Refuse every connection; what was cosigned is remembered."""
        if self._running is None:
            return
        server, thread, memory = self._running
        server.shutdown()
        thread.join()
        server.server_close()
        memory.__exit__(None, None, None)
        self._running = None


@dataclass(slots=True)
class BucketKeeper:
    """A bucket with Object Lock."""

    cloud: Cloud
    bucket: str = ""

    def anchor(self, world: World) -> BucketAnchor:
        """Give our side of it."""
        return BucketAnchor(self.cloud.place(world, self.bucket))

    def up(self) -> None:
        """Answer."""
        if self.cloud.server is None:
            self.cloud.up()
        self.bucket = self.bucket or self.cloud.bucket()

    def down(self) -> None:
        """Refuse every connection."""
        self.cloud.down()


@dataclass(slots=True)
class FileKeeper:
    """A file on a disk that can be taken out."""

    disk: Path

    def anchor(self, world: World) -> FileAnchor:
        """Give our side of it."""
        return FileAnchor(self.disk / "checkpoints", ours(world))

    def up(self) -> None:
        """Put the disk in."""
        away = self.disk.with_name("away")
        if away.exists():
            away.rename(self.disk)
        self.disk.mkdir(exist_ok=True)

    def down(self) -> None:
        """Take the disk out."""
        self.disk.rename(self.disk.with_name("away"))
