"""The doctor on mistakes and repairs, on healthy networks, and on what it must leave alone."""
