"""The composition root: from settings to a vault that may answer, or to a sentence that says why not.

`open_vault(settings)` gives a `Vault`: settings, policy, clock, units, keys, server_key, the log's origin
and vkey, and every use case. The only importer of adapters beside the operator's command line.
"""

from vault.bootstrap.compose import Ground, Vault, compose
from vault.bootstrap.ground import make_data_directory

__all__ = ["Ground", "Vault", "compose", "make_data_directory"]
