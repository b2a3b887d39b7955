"""Models for the kinds of question a sequence can ask: thin modules over a recurrent layer.

The layer may be ours or torch.nn's. One answer per sequence and one per step are in `readout`.
"""

from rnnlib.models.readout import SequenceClassifier, SequenceTagger

__all__ = ["SequenceClassifier", "SequenceTagger"]
