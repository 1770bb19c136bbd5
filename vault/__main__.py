"""`python -m vault` is `rootvault`."""

from vault.cli.main import main

main()
