"""The log: formats, proofs, examination."""
