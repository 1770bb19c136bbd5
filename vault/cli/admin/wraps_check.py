"""What doctor says of wraps: whether everything that is sealed, credentials and mail, opens under the keys named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vault.bootstrap.ground import open_keys, open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError

if TYPE_CHECKING:
    from vault.ports.keys import NamedKey
    from vault.settings import Settings

NAME = "wraps"
_REWRAP = "Have two people agree to a re-wrap (rootvault keys rewrap), then: rootvault rewrap PROPOSAL"


def check_wraps(settings: Settings) -> Iterator[Finding]:
    """Read under which keys everything is wrapped; nothing is opened, so that it is there is all that is said."""
    try:
        keys = open_keys(settings)
        units = units_for(settings, open_signer(settings))
    except VaultError:
        return  # the keys' own finding says so
    sealing, retiring = _names(keys.sealing), _names(keys.retiring)
    try:
        with units.read() as unit:
            known = unit.recipients.naming((*sealing, *retiring))
            new = unit.recipients.naming(sealing)
            old = unit.recipients.naming(retiring) if retiring else None
    except VaultError as error:
        yield Finding(NAME, Level.FAIL, error.detail)
        return
    finally:
        units.engine.dispose()
    lost = known.total - known.some
    if lost:
        words = f"{lost} of {known.total} sealed values are wrapped under no key that the settings name: none opens"
        yield Finding(NAME, Level.FAIL, words, "Name the key that they were wrapped under in keys.retiring.")
    lacking = new.total - new.every
    if lacking:
        words = (
            f"{lacking} of {new.total} sealed values, credentials and mail, are not wrapped under each key"
        )
        yield Finding(NAME, Level.WARN, words, _REWRAP)
    elif not lost:
        yield Finding(NAME, Level.OK, f"all {new.total} sealed values are wrapped under each key")
    if old is not None and old.some:
        words = f"{old.some} of {old.total} sealed values, credentials and mail, still have wraps under retiring keys"
        yield Finding(NAME, Level.WARN, words, f"{_REWRAP} --remove-old")
    elif old is not None and not lacking:
        yield Finding(
            NAME, Level.OK, "nothing is wrapped under retiring keys any more", "Empty keys.retiring."
        )


def _names(keys: tuple[NamedKey, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((key.service, key.key_id) for key in keys)
