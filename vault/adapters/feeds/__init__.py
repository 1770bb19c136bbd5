"""Live feeds of the log: what stands behind the port `Feed`, one module each."""
