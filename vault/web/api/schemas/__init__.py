"""The words on the wire: one strict model for each body, query and answer, and nothing else."""
