"""The operator's commands: they run on the vault's host, on its files, and speak to no web server."""
