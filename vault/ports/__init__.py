"""What the core asks of the world, as protocols and plain values; never how it is done."""
