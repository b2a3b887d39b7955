"""What the layers must reach, and what of it a run has missed."""

# Time of rnnlib over time of torch.nn: geometric mean over the shapes, at most.
MEANS = {
    ("RNN", "forward+backward"): 0.25,
    ("GRU", "forward+backward"): 0.25,
    ("LSTM", "forward+backward"): 0.85,
    ("LSTM", "with dx"): 0.95,
    ("LSTM", "forward"): 1.25,
}
# Forward and backward, for every shape of every kind.
SHAPE = 1.05


def missed(results: dict) -> list[str]:
    """Return one line for each target that a run on one thread has missed; none is success.

    Raises
    ------
    ValueError
        For results that do not answer the question: other thread counts, parts left out.
    """
    if results["machine"]["threads"] != 1:
        raise ValueError(f"targets are for 1 thread, got {results['machine']['threads']}")
    if set(results["means"]) != {kind for kind, _ in MEANS} or not results["memory"]:
        raise ValueError("targets need the parts speed and memory, and all kinds")
    lines = []
    for (kind, mode), most in MEANS.items():
        mean = results["means"][kind][mode]["rnnlib"]
        if mean > most:
            lines.append(f"{kind}, {mode}: geometric mean {mean:.3f}, expected at most {most}")
    for row in results["speed"]:
        ratio = row["ratio"]["rnnlib"]["ratio"]
        if row["mode"] == "forward+backward" and ratio > SHAPE:
            where = f"{row['kind']} {tuple(row['shape'])}"
            lines.append(f"{where}: ratio {ratio:.3f}, expected at most {SHAPE}")
    for row in results["memory"]:
        saved = row["saved"]
        if saved["rnnlib"] > saved["torch"]:
            lines.append(
                f"{row['kind']}: saves {saved['rnnlib']} bytes, expected at most "
                f"torch.nn's {saved['torch']}"
            )
    return lines
