"""Chapter 6: how well does the reader of rows read MNIST?

The chapter's reader, an RNN of 20 units, learns the 60,000 digits of 28 x 28 pixels in batches of
10 with Adam, for 3 epochs. Measured for three step sizes, three seeds each: the share of the
10,000 test digits read correctly after each epoch. `load_mnist` needs its four files, from the
internet or the cache; about five minutes.
"""

import rnnlib
from rnnlib.data import load_mnist, loader
from rnnlib.models import SequenceClassifier
from rnnlib.training import fit

DOWNLOADS = True
SETTINGS = [{"lr": lr, "seed": seed} for lr in (0.01, 0.003, 0.001) for seed in range(3)]


def run(lr: float, seed: int) -> dict[str, list[float]]:
    """Train one reader, and examine it after each epoch."""
    mnist = load_mnist()
    rnnlib.seed_everything(seed)
    columns, classes = mnist.train_images.shape[2], len(mnist.classes)
    history = fit(
        SequenceClassifier(rnnlib.RNN(columns, 20, batch_first=True), classes),
        loader(mnist.train_images, mnist.train_labels, 10, seed=seed),
        epochs=3,
        lr=lr,
        validation=loader(mnist.test_images, mnist.test_labels, 1000, shuffle=False),
    )
    return {"loss": history.loss, "accuracy": history.validation_accuracy}
