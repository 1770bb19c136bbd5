"""The stores: one class for each noun, on the statements of one transaction."""
