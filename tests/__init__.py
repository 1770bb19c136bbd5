"""Everything that shows the vault keeps its promises; run by the command in README.md."""
