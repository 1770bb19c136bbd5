"""The web: it translates requests into use cases and their answers into HTTP, and decides nothing else."""
