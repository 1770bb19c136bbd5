"""Places outside that keep our checkpoints: what stands behind the port `Anchor`, one module each."""
