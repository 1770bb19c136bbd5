"""Everything that is kept sealed, whatever it is of: versions of credentials, and mail to root addresses.

Decided here: what the two have in common for whoever works on keys, and the order in which all of it is gone through:
versions that open at all first, then mail that still has its content, each by its id. Who works on one works on both,
so that no key is retired under which something is still sealed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from vault.crypto.context import Context, mail_place
from vault.domain.credential import Version, VersionLabel
from vault.domain.event import SecretRef
from vault.domain.mail import Mail

if TYPE_CHECKING:
    from vault.errors import Fact
    from vault.ports.store import Unit, Units

PAGE: Final = 256
MAIL_PAGE: Final = 32
"""Contents of mail are larger: up to 64 kB each."""
MAIL: Final = "mail"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One sealed value in its place; `of` is what it belongs to. `wraps` are as they are stored."""

    of: Version | Mail
    place: Context
    body: bytes = field(repr=False)
    wraps: bytes = field(repr=False)

    @property
    def account_id(self) -> str | None:
        """The account whose it is; None for mail to nobody."""
        return self.of.account_id

    @property
    def sha256(self) -> str:
        """The hash of the body, as the row has it."""
        return self.of.sha256

    @property
    def version(self) -> Version | None:
        """The version that it is, None for mail."""
        return self.of if isinstance(self.of, Version) else None

    @property
    def name(self) -> str:
        """Name it for people: account, part and number, or mail and its id."""
        if isinstance(self.of, Version):
            return f"{self.of.account_id}/{self.of.kind}/{self.of.number}"
        return f"{MAIL}/{self.of.id}"

    @property
    def secret(self) -> SecretRef | None:
        """Name it for an entry of the log; mail is named in the entry's detail instead (`facts`)."""
        return SecretRef.of(self.of) if isinstance(self.of, Version) else None

    @property
    def facts(self) -> dict[str, Fact]:
        """Give what an entry's detail says of which it is, beside `secret`."""
        return {} if isinstance(self.of, Version) else {MAIL: self.of.id, "sha256": self.of.sha256}


def of_version(vault_id: str, version: Version) -> SealedValue:
    """Give a version as a sealed value."""
    place = Context(vault=vault_id, account=version.account_id, kind=version.kind, version=version.number)
    return SealedValue(version, place, version.body, version.wraps)


def of_mail(vault_id: str, mail: Mail) -> SealedValue:
    """Give a mail, with its content, as a sealed value."""
    return SealedValue(
        mail, mail_place(vault_id, mail.account_id, mail.id), mail.body or b"", mail.wraps or b""
    )


def in_pages(units: Units, pick: Callable[[Unit, SealedValue], T]) -> Iterator[tuple[T, ...]]:
    """Go through all sealed values, a page in a transaction of its own; `pick` gives what is wanted of each there."""
    version: Version | None = None
    while True:
        with units.read() as unit:
            page = unit.versions.piece(version, PAGE)
            open_ones = (each for each in page if can_open(each))
            found = tuple(pick(unit, of_version(unit.vault_id, each)) for each in open_ones)
        if not page:
            break
        version = page[-1]
        yield found
    after = ""
    while True:
        with units.read() as unit:
            mails = unit.mail.sealed_piece(after, MAIL_PAGE)
            found = tuple(pick(unit, of_mail(unit.vault_id, each)) for each in mails)
        if not mails:
            return
        after = mails[-1].id
        yield found


def can_open(version: Version) -> bool:
    """Say whether a version is there to be opened: what was destroyed is not."""
    return version.label is not VersionLabel.DESTROYED


def counted(unit: Unit) -> tuple[int, int]:
    """Count the versions, destroyed ones too, and the sealed mails."""
    return unit.versions.count(), unit.mail.sealed_count()


def put_wraps(unit: Unit, value: SealedValue, wraps: bytes) -> bool:
    """Put other wraps in place of exactly those that `value` has; False where it has others by now, or none."""
    if isinstance(value.of, Version):
        return unit.versions.rewrap(value.of, wraps)
    return unit.mail.rewrap(value.of, wraps)
