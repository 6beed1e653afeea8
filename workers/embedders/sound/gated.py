"""What a sound is and who speaks in it, in one vector, beside each alone.

The combination is ``sound``, then ``voice`` where somebody speaks and zeros where nobody does, at length 1. Two rows
with speech are compared by both, others by what they sound like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch

from search.model_descriptions.registry import GE2E, SOUND, SOUND_VOICE, VOICE
from search.store.base import Array
from search.vectors import unit_rows
from workers.embedders.sound.aisfx import Aisfx
from workers.embedders.sound.character import SoundCharacter
from workers.embedders.sound.rows import Samples, Segment, SoundRows, embed_segments
from workers.embedders.sound.speech import SpeechDetector
from workers.embedders.sound.voice import VoiceEncoder

LEAST_SPEECH = 0.3
"""Least share of a segment in which somebody speaks, for a row of ``voice``. Of the development data it takes 1 of 127
recordings of music and noises for speech, and misses 21 of 240 spoken digits."""


VOICE_WEIGHT = 1.4
"""Of the half ``voice``, where that of ``sound`` is 1: two rows with speech are compared by their voices twice as much
as by all else. Of the development data it lifts P@1 of registers from .917 to .944, and costs digits .004 of mAP."""


class GatedEmbedder:
    """Rows of ``sound``, ``voice`` and ``sound_voice``; a ``rows.SoundEmbedder``."""

    def __init__(self, sound: Aisfx, voice: VoiceEncoder, speech: SpeechDetector) -> None:
        self._sound, self._voice, self._speech = sound, voice, speech

    def embed(self, chunks: Iterable[Samples]) -> SoundRows:
        """See ``rows.SoundEmbedder``; also its words."""
        character = SoundCharacter()
        rows = embed_segments(chunks, lambda segment: self._of_segment(segment, character))
        return replace(rows, words=character.words())

    def _of_segment(self, segment: Segment, character: SoundCharacter) -> Mapping[str, Array]:
        sound = self._sound.embed(segment.samples)
        is_speech = self._speech.share(segment.samples) >= LEAST_SPEECH
        character.add(segment.samples, is_speech)
        if not is_speech:
            return {SOUND: sound, SOUND_VOICE: gated(sound, None)}
        voice = self._voice.embed(segment.samples)
        return {SOUND: sound, VOICE: voice, SOUND_VOICE: gated(sound, voice)}


def gated(sound: Array, voice: Array | None) -> Array:
    """The combination of unit vectors float32 ``(1, 512)`` and ``(1, 256)``, None where nobody speaks; float32
    ``(1, 768)`` of unit length."""
    beside = np.zeros((len(sound), GE2E.dim), np.float32) if voice is None else VOICE_WEIGHT * voice
    return unit_rows(np.concatenate([sound, beside], axis=1))


def gated_embedder(device: torch.device) -> GatedEmbedder:
    """The embedder that the description of aisfx names, with its companions.

    Raises:
        ModelError: weights cannot be had, or do not fit.
    """
    return GatedEmbedder(Aisfx(device), VoiceEncoder(device), SpeechDetector(device))
