"""How fast and how frugal rnnlib's layers are, beside torch.nn's and the textbook loop.

``python -m benchmarks`` runs everything; README.md says how to read the result.
"""
