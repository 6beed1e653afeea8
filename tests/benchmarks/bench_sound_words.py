"""How often the words that are said of a sound are right, on labelled sounds.

    python tests/benchmarks/bench_sound_words.py [--data DIR]

Prints of each word how many recordings have it, how many of them are of the labels that it should be said of
(precision), and how many of those have it (recall), each with Wilson's interval. Speech is told by the network that
``voice`` uses; the thresholds of the others were chosen on these sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np

from search.evaluation.statistics import wilson
from search.labels import read_labels
from workers.embedders.sound.character import SoundCharacter
from workers.embedders.sound.rows import Samples, segments

SPEECH = ("audio_gender_librispeech", "audio_speakers_librispeech")
OTHERS = ("audio_instruments_fsd", "audio_samples_sonicpi")

MEANT: Mapping[str, frozenset[str]] = {
    "tonal": frozenset({"Acoustic_guitar", "Cello", "Clarinet", "Flute", "Saxophone", "Violin_or_fiddle", "ambient"}),
    "percussive": frozenset({"Bass_drum", "Hi_hat", "Snare_drum", "hi_hat", "percussion", "snare", "drum_kit",
                             "bass_drum", "loop", "glitch", "tabla"}),
    "noise": frozenset({"Hi_hat", "hi_hat", "Snare_drum", "snare", "percussion", "loop"}),
    "high voice": frozenset({"female"}),
    "low voice": frozenset({"male"}),
}  # fmt: skip
"""Labels that a word should be said of."""

EITHER: Mapping[str, frozenset[str]] = {
    "tonal": frozenset({"tabla", "electronic", "bass", "Double_bass", "bass_drum", "drum_kit", "Bass_drum"}),
    "percussive": frozenset({"electronic", "bass"}),
    "noise": frozenset({"glitch", "electronic", "drum_kit", "tabla"}),
}
"""Labels of which the word is true of some: tuned drums ring, and synthesisers make anything."""


def samples_of(path: str) -> Samples:
    """The first half minute, mono at 16 kHz."""
    resampler = av.AudioResampler("flt", "mono", 16_000)
    with av.open(path) as container:
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return np.concatenate(parts)[: 30 * 16_000]


def words_of(path: str, is_speech: bool) -> tuple[str, ...]:
    character = SoundCharacter()
    for segment in segments([samples_of(path)]):
        character.add(segment.samples, is_speech)
    return character.words()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "../shared/data")
    data = parser.parse_args().data
    said: list[tuple[str, tuple[str, ...], bool]] = []
    for name in (*SPEECH, *OTHERS):
        speech = name in SPEECH
        said += [(label, words_of(path, speech), speech) for path, label in read_labels(data / name).items()]
    for word, labels in MEANT.items():
        voice = word.endswith("voice")
        asked = [(label, words) for label, words, speech in said if speech == voice and not label.isdigit()]
        clear = [(label, words) for label, words in asked if label not in EITHER.get(word, ())]
        having = [label for label, words in clear if word in words]
        meant = [words for label, words in asked if label in labels]
        for name, right, n in (
            ("precision", sum(label in labels for label in having), len(having)),
            ("recall", sum(word in words for words in meant), len(meant)),
        ):
            low, high = wilson(right / n, n) if n else (0.0, 1.0)
            print(f"{word:<12} {name:<10} {right:>3} of {n:>3}  {right / max(n, 1):.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
