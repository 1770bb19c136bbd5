"""The composition root: from settings to a vault that may answer, or to a sentence that says why not.

`open_vault(settings)` gives a `Vault`: settings, policy, clock, units, keys, server_key, the log's origin
and vkey, `close()`, and every use case. The only importer of adapters beside the operator's command line.
"""

from vault.bootstrap.compose import Ground, Vault, compose
from vault.bootstrap.ground import check_data_directory, make_data_directory
from vault.bootstrap.open import announce, open_log, open_vault, take_leave

__all__ = [
    "Ground",
    "Vault",
    "announce",
    "check_data_directory",
    "compose",
    "make_data_directory",
    "open_log",
    "open_vault",
    "take_leave",
]
