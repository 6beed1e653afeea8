"""Find voices like one's own: of the first five answers to each voice, how many are of the same register.

    python tests/benchmarks/bench_voices.py SET

SET holds a folder for each register, as audio_gender_librispeech does. Prints the share of the first five with the same
label for each label and each space, and what a second of sound costs by every model of sounds, in milliseconds of the
processor on one thread.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from search.labels import labels_by_id, read_labels
from search.model_descriptions.registry import SOUND, models_of
from search.settings import Settings
from search.similar.find import find_similar
from search.similar.questions import Question
from search.store.edge.store import EdgeStore
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.builders import load_builder
from workers.embedders.sound.fit_logmel import beginnings

FIRST = 5


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        program = [sys.executable, "-m", "web.cli", "ingest", "--home", home, str(folder)]
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
        store = EdgeStore(Path(home))
        try:
            labels = labels_by_id(store, read_labels(folder))
            for space in ("sound_voice", "voice", "sound"):
                found: dict[str, list[bool]] = defaultdict(list)
                for id_, label in labels.items():
                    question = Question(like=(id_,), collections=("audio",), spaces=(space,), limit=FIRST)
                    found[label] += [labels.get(hit.id) == label for hit in find_similar(store, question).hits]
                shares = ", ".join(f"{label} {np.mean(right):.3f}" for label, right in found.items())
                print(f"{space}: {np.mean([*chain(*found.values())]):.3f} of the first {FIRST} ({shares})")
        finally:
            store.close()
        with DecodePool(Settings(home=Path(home))) as pool:
            sounds = list(beginnings(folder, pool))
    torch.set_num_threads(1)
    seconds = sum(map(len, sounds)) / 16_000
    for model in models_of(SOUND):
        embedder = load_builder(model.builder)(torch.device("cpu"))
        embedder.embed(sounds[:1])
        began = time.process_time()
        for sound in sounds:
            embedder.embed([sound])
        print(f"{model.name}: {1000 * (time.process_time() - began) / seconds:.1f} ms a second of sound")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
