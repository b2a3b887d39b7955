"""What the layers must reach, and what of it a run has missed."""

# Time of rnnlib over time of torch.nn, forward and backward, geometric mean over the shapes.
MEANS = {"RNN": 0.58, "GRU": 0.57, "LSTM": 1.9}
NEVER_SLOWER = ("RNN", "GRU")


def missed(results: dict) -> list[str]:
    """Return one line for each target that a run on one thread has missed; none is success.

    A shape counts as slower if three quarters of its rounds were, which is beyond noise.

    Raises
    ------
    ValueError
        For results that do not answer the question: other thread counts, parts left out.
    """
    if results["machine"]["threads"] != 1:
        raise ValueError(f"targets are for 1 thread, got {results['machine']['threads']}")
    if set(results["means"]) != set(MEANS) or not results["memory"]:
        raise ValueError("targets need the parts speed and memory, and all kinds")
    lines = []
    for kind, most in MEANS.items():
        mean = results["means"][kind]["forward+backward"]["rnnlib"]
        if mean > most:
            lines.append(f"{kind}: geometric mean {mean:.3f}, expected at most {most}")
    for row in results["speed"]:
        ratio = row["ratio"]["rnnlib"]
        if row["kind"] in NEVER_SLOWER and row["mode"] == "forward+backward" and ratio["q1"] > 1:
            where = f"{row['kind']} {tuple(row['shape'])}"
            lines.append(f"{where}: ratio {ratio['ratio']:.3f}, expected at most 1")
    for row in results["memory"]:
        saved = row["saved"]
        if saved["rnnlib"] > saved["torch"]:
            lines.append(
                f"{row['kind']}: saves {saved['rnnlib']} bytes, expected at most "
                f"torch.nn's {saved['torch']}"
            )
    return lines
