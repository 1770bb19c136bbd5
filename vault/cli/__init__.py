"""The command line: people's commands speak REST only; operator's commands, in `admin`, run on the host."""
