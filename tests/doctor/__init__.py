"""The doctor on mistakes and their repairs, on healthy networks, and on what it must leave alone."""
