"""Fitting the statistics that sounds are standardised with, and the mean that is taken from the network's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from search.errors import UsageError
from search.model_descriptions.registry import AISFX
from search.settings import Settings
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.sound import aisfx, fit_aisfx
from workers.embedders.sound.aisfx import MEAN, Aisfx, shipped_mean
from workers.embedders.sound.fit_logmel import beginnings, fit, main, raw_sounds
from workers.embedders.sound.standardise import SoundStatistics


def write_tone(path: Path, frequency: float) -> None:
    """Half a second of a tone in noise, as WAV."""
    at = np.arange(8000) / 16000
    samples = 8000 * np.sin(2 * np.pi * frequency * at) + np.random.default_rng(1).normal(size=8000) * 100
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None], layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_every_set_counts_the_same_however_large_it_is() -> None:
    many = np.array([[0.0, 5.0], [2.0, 5.0]] * 100, np.float32)  # mean 1, variance 1 in the first dimension
    few = np.array([[5.0, 5.0]], np.float32)
    mean, deviation = fit([many, few])
    np.testing.assert_allclose(mean, [3, 5])
    # Squared distances from 3: (9 + 1) / 2 in one set, 4 in the other. What never differs still gets a deviation.
    np.testing.assert_allclose(deviation, [np.sqrt((5 + 4) / 2), 1e-3], rtol=1e-6)
    np.testing.assert_allclose(fit([many, few, few])[0], [(1 + 5 + 5) / 3, 5], rtol=1e-6)


def test_sounds_below_a_folder_are_read_and_what_is_none_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    write_tone(tmp_path / "deep" / "a.wav", 300)
    write_tone(tmp_path / "b.wav", 900)
    (tmp_path / "broken.flac").write_bytes(b"fLaC and no more")
    (tmp_path / "notes.txt").write_text("no sound")
    with DecodePool(Settings(home=tmp_path / "home")) as pool:
        assert raw_sounds(tmp_path, pool).shape == (2, 256)
        assert "broken.flac is left out" in capsys.readouterr().err
        (tmp_path / "none").mkdir()
        with pytest.raises(UsageError, match="holds no sounds"):
            raw_sounds(tmp_path / "none", pool)


def test_the_command_writes_statistics_that_can_be_read(tmp_path: Path) -> None:
    for name, frequencies in (("low", (200, 300, 400)), ("high", (2000, 3000))):
        (tmp_path / name).mkdir()
        for frequency in frequencies:
            write_tone(tmp_path / name / f"{frequency}.wav", frequency)
    out = tmp_path / "out.npz"
    done = CliRunner().invoke(main, [str(tmp_path / "low"), str(tmp_path / "high"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    statistics = SoundStatistics.of(out.read_bytes())
    assert done.output.strip() == f"{statistics.version}, of 3 in low, 2 in high"


@pytest.mark.models
def test_the_mean_of_the_network_is_that_of_the_recordings(tmp_path: Path) -> None:
    for at, frequency in enumerate((300, 900)):
        write_tone(tmp_path / f"{at}.wav", frequency)
    out = tmp_path / "mean.npz"
    done = CliRunner().invoke(fit_aisfx.main, [str(tmp_path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.output.endswith("of 2 recordings\n")
    model = Aisfx(torch.device("cpu"), mean=np.zeros(512, np.float32))
    with DecodePool(Settings(home=tmp_path / "home")) as pool:
        rows = [model.blocks(samples).mean(axis=0) for samples in beginnings(tmp_path, pool)]
    with np.load(out) as held:
        np.testing.assert_allclose(held["mean"], np.mean(rows, axis=0), atol=1e-4)
    assert shipped_mean().shape == (512,)
    assert AISFX.revision.endswith(hashlib.sha256(Path(aisfx.__file__).with_name(MEAN).read_bytes()).hexdigest()[:8])
