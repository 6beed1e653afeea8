"""Golden vectors of the networks of sounds, against independent computations in numpy and without folded norms."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from search.errors import ModelError
from search.model_descriptions.description import PackagedWeights
from search.model_descriptions.registry import AISFX, GE2E, SILERO
from workers.embedders.sound import aisfx, speech, voice
from workers.embedders.sound.gated import VOICE_WEIGHT, GatedEmbedder, gated, gated_embedder
from workers.embedders.sound.rows import RATE, SEGMENT
from workers.embedders.weights import missing_packages, weights_of

CPU = torch.device("cpu")

pytestmark = pytest.mark.models


def buzz(seconds: float = 2.5, seed: int = 0) -> np.ndarray:
    """Harmonics of a gliding pitch under a slow envelope, and some noise: enough like a voice to be one."""
    at = np.arange(int(RATE * seconds)) / RATE
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * at)) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 30)) * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * at))
    return (0.1 * tone + 0.005 * np.random.default_rng(seed).normal(size=len(at))).astype(np.float32)


@cache
def embedder() -> GatedEmbedder:
    return gated_embedder(CPU)


def triangles(corners: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Filters that rise from each corner to the next and fall to the one after; ``(corners - 2, bins)``."""
    return np.array(
        [
            np.interp(bins, [a, b, c], [0, 1, 0], 0, 0)
            for a, b, c in zip(corners, corners[1:], corners[2:], strict=False)
        ]
    )


def power(sound: np.ndarray, window: np.ndarray, hop: int, frames: int) -> np.ndarray:
    """Centred spectrogram, silence around; ``(frames, bins)``."""
    size = len(window)
    padded = np.pad(sound.astype(np.float64), (size // 2, frames * hop + size))
    return np.array([np.abs(np.fft.rfft(padded[i * hop : i * hop + size] * window)) ** 2 for i in range(frames)])


def test_sound_is_that_of_the_layers_as_they_are_trained() -> None:
    sound = buzz()
    model = aisfx.Aisfx(CPU, mean=np.zeros(512, np.float32))

    wide = aisfx.resample(torch.from_numpy(sound), 16_000, 44_100).numpy()
    at = np.arange(2048)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * at / 2047)
    mel = np.linspace(0, 2595 * np.log10(1 + 22050 / 700), 98)
    filters = triangles(mel, 2595 * np.log10(1 + np.linspace(0, 22050, 1025) / 700))
    filters /= filters.sum(axis=1, keepdims=True)
    frames = round(len(sound) * 44_100 / 16_000 / 1024)
    levels = np.log10(1e4 * power(wide / np.abs(wide).max(), window, 1024, frames) @ filters.T + 1) / 9.457798957824707
    assert frames > 100, "two blocks, the last one aligned to the end"
    blocks = np.stack([levels[:100], levels[-100:]]).astype(np.float32)

    state: Any = weights_of(AISFX)
    x = torch.from_numpy(blocks)[:, None]
    with torch.inference_mode():
        for block in (f"embedding_net.conv_block{n}" for n in (1, 2, 3, 4)):
            for n in (1, 2):
                norm = [state[f"{block}.bn{n}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
                x = torch.nn.functional.conv2d(x, state[f"{block}.conv{n}.weight"], padding=1)
                x = torch.nn.functional.batch_norm(x, *norm).relu()
            x = x if block.endswith("4") else torch.nn.functional.max_pool2d(x, 2)
        expected = x.mean(dim=3).amax(dim=2).numpy()

    np.testing.assert_allclose(model.blocks(sound), expected, atol=2e-3)


def test_voice_is_that_of_windows_half_overlapped() -> None:
    sound = buzz(3.0)
    raised = sound * max(1, 10**-1.5 / np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    high = 15 + np.log(8) / (np.log(6.4) / 27)
    mels = np.linspace(0, high, 42)
    corners = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    filters = triangles(corners, np.linspace(0, 8000, 201)) * (2 / (corners[2:] - corners[:-2]))[:, None]
    frames = power(raised, window, 160, 320) @ filters.T
    windows = torch.from_numpy(np.stack([frames[at : at + 160] for at in (0, 80, 160)]).astype(np.float32))

    state: Any = weights_of(GE2E)
    lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
    lstm.load_state_dict({key[5:]: tensor for key, tensor in state.items() if key.startswith("lstm.")})
    with torch.inference_mode():
        _, (hidden, _) = lstm(windows)
        each = (hidden[-1] @ state["linear.weight"].T + state["linear.bias"]).clamp(min=0)
        mean = (each / each.norm(dim=1, keepdim=True)).mean(dim=0).numpy()

    np.testing.assert_allclose(voice.VoiceEncoder(CPU).embed(sound)[0], mean / np.linalg.norm(mean), atol=1e-4)


def test_speech_is_that_of_frames_one_after_another() -> None:
    state: Any = weights_of(SILERO)
    sound = buzz(1.0)
    padded = np.pad(sound, (64, 512 - len(sound) % 512))
    conv = torch.nn.functional.conv1d
    cell = torch.nn.LSTMCell(128, 128)
    cell.load_state_dict({key[10:]: tensor for key, tensor in state.items() if key.startswith("lstm_cell.")})
    held, expected = None, []
    with torch.inference_mode():
        for at in range(0, len(padded) - 64, 512):
            frame = torch.from_numpy(np.pad(padded[at : at + 576], (0, 64), mode="reflect"))[None, None]
            parts = conv(frame, state["stft_conv.weight"], stride=128)
            x = (parts[:, :129] ** 2 + parts[:, 129:] ** 2).sqrt()
            for n, stride in ((1, 1), (2, 2), (3, 2), (4, 1)):
                x = conv(x, state[f"conv{n}.weight"], state[f"conv{n}.bias"], stride=stride, padding=1).relu()
            held = cell(x[:, :, 0], held)
            score = conv(held[0].relu()[:, :, None], state["final_conv.weight"], state["final_conv.bias"])
            expected.append(float(score.sigmoid()))
    np.testing.assert_allclose(speech.SpeechDetector(CPU).probabilities(sound), expected, atol=1e-4)


def test_both_at_once_are_the_halves_at_their_weights() -> None:
    sound, spoken = np.eye(512, dtype=np.float32)[:1], np.eye(256, dtype=np.float32)[:1]
    silent, both = gated(sound, None)[0], gated(sound, spoken)[0]
    assert (silent[0], np.count_nonzero(silent)) == (1, 1)
    np.testing.assert_allclose(both[[0, 512]], np.array([1, VOICE_WEIGHT]) / np.hypot(1, VOICE_WEIGHT), rtol=1e-6)


@pytest.mark.parametrize(
    "sound",
    [
        np.full(1, 0.5, np.float32),
        buzz(0.1),
        np.sign(buzz(1.0)),
        np.sin(np.arange(RATE) * 0.3).astype(np.float32),
        (np.random.default_rng(5).normal(size=RATE) * 0.2).astype(np.float32),
        np.eye(1, RATE, dtype=np.float32)[0],
        np.full(RATE, 0.25, np.float32),
    ],
    ids=["one sample", "a tenth of a second", "square", "tone", "noise", "click", "constant"],
)
def test_odd_sounds_have_unit_vectors(sound: np.ndarray) -> None:
    made = embedder().embed([sound])
    assert made.spans.shape == (1, 2)
    for rows in made.vectors.values():
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_only_rows_with_speech_have_a_voice() -> None:
    noise = (np.random.default_rng(5).normal(size=SEGMENT) * 0.05).astype(np.float32)
    talk = embedder()
    asked: list[int] = []

    class Half(speech.SpeechDetector):
        def __init__(self) -> None:
            pass

        def share(self, samples: np.ndarray) -> float:
            asked.append(len(samples))
            return 0.3 if len(asked) == 2 else 0.29

    made = GatedEmbedder(talk._sound, talk._voice, Half()).embed([noise, buzz(9.288), noise])
    assert {name: len(rows) for name, rows in made.vectors.items()} == {"sound": 3, "voice": 1, "sound_voice": 3}
    assert made.voice_rows.tolist() == [1]
    assert "speech" not in made.words
    assert embedder().embed([np.zeros(RATE, np.float32)]).words == ("silence",)
    assert (np.abs(made.vectors["sound_voice"][:, 512:]).sum(axis=1) > 0).tolist() == [False, True, False]
    np.testing.assert_allclose(
        made.vectors["sound_voice"][1:2], gated(made.vectors["sound"][1:2], made.vectors["voice"]), atol=1e-6
    )


def test_weights_that_do_not_fit_are_refused() -> None:
    for build in (aisfx.aisfx_network, voice.voice_network, speech.speech_network):
        with pytest.raises(ModelError, match="do not fit"):
            build({"nothing": torch.zeros(1)})


def test_packages_of_weights_are_read_and_not_imported() -> None:
    embedder()
    assert not {"aisfx", "resemblyzer", "silero_vad"} & sys.modules.keys()


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "damaged").mkdir()
    header = b'{"a": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}'
    for name, data in (("a.safetensors", len(header).to_bytes(8, "little") + header), ("a.pth", b"no weights")):
        (tmp_path / "damaged" / name).write_bytes(data)
        model = replace(SILERO, weights=PackagedWeights("damaged==1", "damaged", name, 1, is_extra=True))
        with pytest.raises(ModelError, match="could not be read"):
            weights_of(model)
    assert missing_packages(model) == ()
    (tmp_path / "damaged" / "a.pth").unlink()
    assert missing_packages(model) == ("damaged==1",)
