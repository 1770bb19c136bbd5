"""The end of the story: an auditor takes the whole log along and verifies it with neither vault nor database.

The verifier is `python -m audit verify`, started as a process of its own; it is then shown a copy in which
one byte was changed, and has to find it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import audit
from audit.tile import tiles
from vault.domain.actor import Role

if TYPE_CHECKING:
    from vault.cli.admin.demo.scenes import Act

TIMEOUT = 120


def export(act: Act, directory: Path) -> Path:
    """Write the log as a bundle, read through the auditor's own use cases."""
    auditor = act.cast.of(Role.AUDITOR)
    bundle = directory / "log-bundle"
    with act.stage.step(f"{auditor.part.name} ({auditor.part.role}) takes a copy of the whole log") as told:
        actor = auditor.actor(act.vault)
        note = act.vault.trail.checkpoint()
        size = int(note.split("\n")[1])
        for tile in tiles(size):
            hashes = tile.level is not None
            content = (
                act.vault.trail.tile(tile.path) if hashes else act.vault.trail.entries_tile(actor, tile.path)
            )
            path = bundle / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (bundle / "checkpoint").write_text(note, encoding="utf-8", newline="\n")
        told(f"{size} entries, in {bundle}")
    return bundle


def prove(act: Act, bundle: Path, kept: Path) -> None:
    """Verify the bundle offline, also against the checkpoint that the auditor kept."""
    with act.stage.step("python -m audit verify: the log is sound") as told:
        status, report = _verify(bundle, act.vault.vkey, "--since", str(kept))
        if status != 0 or not report["sound"]:
            raise AssertionError(f"the verifier found {report['findings']}")
        told(f"{report['examined']} entries, each in its place; it continues what the witness saw")


def prove_tampering(act: Act, bundle: Path) -> None:
    """Change one byte of a copy; the verifier has to find it."""
    with act.stage.step("One byte of a copy is changed, and the verifier finds it") as told:
        forged = bundle.with_name("log-bundle-forged")
        shutil.copytree(bundle, forged)
        try:
            leaves = next((forged / "tile" / "entries").rglob("*[0-9]"))
            content = bytearray(leaves.read_bytes())
            place = content.index(b"checkout.requested")
            content[place] ^= 1
            leaves.write_bytes(bytes(content))
            status, report = _verify(forged, act.vault.vkey)
        finally:
            shutil.rmtree(forged)
        if status == 0 or report["sound"]:
            raise AssertionError("the verifier found nothing")
        told(f"exit status {status}, first bad entry {report['first_bad']}")


def _verify(bundle: Path, vkey: str, *more: str) -> tuple[int, Any]:
    environment = {**os.environ, "PYTHONPATH": str(Path(audit.__file__).resolve().parent.parent)}
    done = subprocess.run(  # noqa: S603 - our own verifier on a path of our own
        [sys.executable, "-m", "audit", "verify", str(bundle), "--key", vkey, "--json", *more],
        capture_output=True,
        check=False,
        env=environment,
        timeout=TIMEOUT,
        cwd=bundle,
    )
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        words = done.stderr.decode("utf-8", "replace")[-400:]
        raise AssertionError(f"the verifier did not answer: {words}") from None
