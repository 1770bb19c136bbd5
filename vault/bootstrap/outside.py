"""Places outside, made of settings: who keeps checkpoints and copies, who signs as well, who carries mail.

Decided here: which adapter stands behind which setting. Nothing is asked of them yet; that a place is of the
right kind is looked at when it is first used, and by `rootvault doctor`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError
from audit.note import Verifier
from audit.witness.client import Client
from vault.adapters.anchors.bucket import Bucket, BucketAnchor, BucketCopy
from vault.adapters.anchors.file import FileAnchor
from vault.adapters.anchors.reading import Ours
from vault.adapters.anchors.witness import WitnessAnchor
from vault.adapters.cosigner import KmsCosigner
from vault.adapters.mailer import SmtpMailer
from vault.errors import Refused, Unavailable
from vault.ports.anchors import AnchorFailed

if TYPE_CHECKING:
    from vault.ports.anchors import Anchor, Copy, Cosigner, Mailer, Mark
    from vault.ports.clock import Clock
    from vault.services.publishing import Publishing
    from vault.settings import Settings

START_SECONDS: Final = 10.0
"""How long a start waits for places outside to say what they keep; who is slower is asked by the worker."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a vault has outside; `verifiers` are its log's keys, today's first."""

    verifiers: tuple[Verifier, ...]
    mark: Mark | None = None
    anchors: tuple[Anchor, ...] = ()
    copies: tuple[Copy, ...] = ()
    cosigner: Cosigner | None = None
    mailer: Mailer | None = None


def open_outside(
    settings: Settings, verifiers: tuple[Verifier, ...], mark: Mark | None, clock: Clock
) -> Outside:
    """Make what the settings name; raise `Refused` for what cannot be meant."""
    ours = Ours(verifiers)
    anchors: list[Anchor] = [_witness(line, ours, clock) for line in settings.anchors.witnesses]
    copies: list[Copy] = []
    if settings.anchors.file:
        anchors.append(FileAnchor(settings.file(settings.anchors.file), ours))
    if settings.anchors.bucket:
        place = Bucket(
            settings.anchors.bucket,
            settings.anchors.bucket_prefix,
            settings.anchors.bucket_days,
            ours,
            clock,
            endpoint=settings.anchors.bucket_endpoint,
        )
        anchors.append(BucketAnchor(place))
        copies.append(BucketCopy(place))
    cosigner = None
    if settings.log.kms_key:
        cosigner = KmsCosigner(ours.origin, settings.log.kms_key, settings.keys.endpoint)
    return Outside(verifiers, mark, tuple(anchors), tuple(copies), cosigner, _mailer(settings))


def ask_outside(publishing: Publishing) -> tuple[tuple[str, str], ...]:
    """Hold the log against what each place outside keeps; give who did not answer, and what was said.

    All are asked at once. Raises `Refused` log.rolled_back if one keeps a checkpoint that the log does not continue.
    """
    if not publishing.anchors:
        return ()
    pool = ThreadPoolExecutor(max_workers=len(publishing.anchors))
    asked = {pool.submit(publishing.look, anchor): anchor.name for anchor in publishing.anchors}
    done, late = wait(asked, timeout=START_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    silent = [(asked[each], f"no answer within {START_SECONDS:.0f} s") for each in late]
    for each in done:
        try:
            each.result()
        except AnchorFailed as failure:
            silent.append((asked[each], failure.words))
        except Unavailable as error:
            raise Refused(error.code, error.detail) from None
    return tuple(sorted(silent))


def _mailer(settings: Settings) -> Mailer | None:
    mail = settings.mail
    if not mail.server:
        if settings.anchors.mail_to:
            detail = (
                "anchors.mail_to names people and mail.server no server: name one, as mail.example.com:587."
            )
            raise Refused("settings.invalid", detail)
        return None
    password = settings.file(mail.password_file) if mail.password_file else None
    return SmtpMailer(mail.server, mail.security, mail.sender, mail.user, password)


def _witness(line: str, ours: Ours, clock: Clock) -> WitnessAnchor:
    """Read a witness's address and key; raise `Refused` saying how it is written."""
    address, _, vkey = line.strip().partition(" ")
    try:
        client = Client(address, Verifier.parse(vkey.strip()), now=lambda: clock.now().timestamp())
    except AuditError as error:
        detail = (
            f"anchors.witnesses holds {line[:100]!r}: {error.words}. Write the address, a blank, and its key,"
            " as in https://witness.example w1.example+2bda070f+BNTH…"
        )
        raise Refused("settings.invalid", detail) from None
    return WitnessAnchor(client, ours)
