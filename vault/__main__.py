"""`python -m vault` is `rootvault`."""

from vault.cli.main import main

if __name__ == "__main__":
    main()
