"""A recording keeps its wave and says its name."""

import base64
import re

import numpy as np
import torch

from rnnlib.page import Sound


def test_a_recording_has_its_name_and_its_wave():
    wave = torch.sin(torch.arange(800) * 0.3)
    html = Sound(wave, 8000, 'the "seven"')._repr_html_()
    assert re.search('<audio aria-label="the &quot;seven&quot;"[^>]* controls="controls"', html)
    data = base64.b64decode(re.search('data:audio/wav;base64,([^"]+)', html)[1])
    played = np.frombuffer(data[44:], "<i2") / 32767
    np.testing.assert_allclose(played, wave / wave.abs().max(), atol=1e-4)
    assert repr(Sound(wave, 8000, "the seven")) == "a recording: the seven"
