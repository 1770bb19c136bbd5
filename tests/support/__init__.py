"""What tests lean on: a real PostgreSQL, a closed network, the browser rule."""
