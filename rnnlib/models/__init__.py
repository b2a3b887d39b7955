"""Models for the kinds of question a sequence can ask: thin modules over a recurrent layer.

The layer may be ours or torch.nn's. `readout` gives one answer per sequence or one per step,
`characters` reads text and writes it, `encoder_decoder` answers in another length, `line_reader`
without saying where. What they are made of has rooms of its own: `attention`, `sampling`, `search`,
`ctc` and `reading`; `forecasts` goes on with a series, `reservoir` does so with weights that nobody
trains; `ngrams` is what text models must beat.
"""

from rnnlib.models.characters import CharRNN
from rnnlib.models.encoder_decoder import EncoderDecoder
from rnnlib.models.line_reader import ImageConvolutions, LineReader, StepConvolutions
from rnnlib.models.readout import SequenceClassifier, SequenceTagger

__all__ = [
    "CharRNN",
    "EncoderDecoder",
    "ImageConvolutions",
    "LineReader",
    "SequenceClassifier",
    "SequenceTagger",
    "StepConvolutions",
]
