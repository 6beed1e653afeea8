"""Statistics of tone, colour, fall-off and grain of whole pictures, hardly dependent on content.

Counted on the 8-bit levels as they are: how often each tone occurs and where its quantiles lie (exposure, contrast,
fade), what colour the pixels of each tone have (split toning, white balance, saturation), how the ratios of the
channels' light are spread (white balance), how brightness and its slope change with the distance to the centre
(vignette), and how rough the flattest parts are at each tone (grain). Sums of whole numbers are exact in double
precision, so the counts do not depend on the device or on what else is in the batch.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from workers.embedders.style.noise import GAIN, second_difference_across, second_difference_down

TONES = (
    0,
    4,
    8,
    12,
    16,
    20,
    25,
    30,
    36,
    43,
    51,
    64,
    77,
    92,
    110,
    128,
    146,
    164,
    182,
    200,
    214,
    227,
    237,
    245,
    250,
    255,
)
"""Levels between which the share of pixels is counted, close together at both ends, where fade and clipping show."""

QUANTILES = (2e-4, 1e-3, 5e-3, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995, 0.999, 0.9998)

ZONES = 16
"""Tones by which colour is averaged."""

FEW = 0.003
"""Share of the picture that a zone needs for its colour to count half."""

RINGS = 7
ANNULI = (0.0, 0.35, 0.6, 0.8, 1.0, 1.2, 1.5)
"""Limits of the rings in which the slope of brightness is taken; the middle of a side is at 1, a corner at √2."""

BLOCK = 28
"""Squares along a side whose roughness is taken."""

_LUMA = (0.2126, 0.7152, 0.0722)
_LUMA_256 = (54, 183, 19)
"""Source: ITU-R BT.709; the second in 256ths, for whole numbers."""


class Tone(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to float32 ``(n, 579)``; each picture by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("tones", _triangles(TONES), persistent=False)
        self.register_buffer("quantiles", torch.tensor(QUANTILES, dtype=torch.float64), persistent=False)
        side = torch.linspace(-1, 1, 56)
        distance = (side[:, None] ** 2 + side**2).flatten()
        self.register_buffer("outwards", distance.argsort(stable=True), persistent=False)
        side = torch.linspace(-1, 1, 112)[1:-1]
        radius = (side[:, None] ** 2 + side**2).sqrt()
        self.register_buffer("across", side / (radius + 1e-3), persistent=False)
        self.register_buffer("down", side[:, None] / (radius + 1e-3), persistent=False)
        annuli = [(radius >= low) & (radius < high) for low, high in pairwise(ANNULI)]
        self.register_buffer("annuli", torch.stack(annuli).flatten(1).T.float(), persistent=False)

    tones: Tensor
    quantiles: Tensor
    outwards: Tensor
    across: Tensor
    down: Tensor
    annuli: Tensor

    def forward(self, pixels: Tensor) -> Tensor:
        red, green, blue = pixels.int().flatten(1, 2).unbind(2)
        luma = (red * _LUMA_256[0] + green * _LUMA_256[1] + blue * _LUMA_256[2] + 128) >> 8
        light = pixels.movedim(-1, 1).contiguous().float() / 255
        found = [
            *self._tones(luma, red, green, blue),
            *_colours(luma, red, green, blue),
            _channel_ratios(light),
            *self._fall_off(light),
            *_grain(light),
            _scales(_luma(light)),
        ]
        return torch.cat([numbers.float() for numbers in found], dim=1)

    def _tones(self, *channels: Tensor) -> tuple[Tensor, Tensor]:
        """Roots of the shares of pixels at each tone ``(n, 104)``, and quantiles ``(n, 68)``, of luma, R, G and B."""
        shares = torch.stack([_counts(channel, 256) for channel in channels], dim=1) / channels[0].shape[1]
        asked = self.quantiles.expand(len(shares), len(channels), -1).contiguous()
        levels = torch.searchsorted(shares.cumsum(2), asked).clamp(max=255) / 255
        return (shares @ self.tones).sqrt().flatten(1), levels.flatten(1)

    def _fall_off(self, light: Tensor) -> tuple[Tensor, Tensor]:
        """How brightness changes from ring to ring ``(n, 49)``, and its slope outwards where smooth ``(n, 36)``."""
        small = _luma(nn.functional.avg_pool2d(light, 4)).flatten(1)[:, self.outwards].reshape(len(light), RINGS, -1)
        at = [4, 22, 112, 224, 336, 426, 443]
        rings = (small.sort(dim=2).values[:, :, at] + 0.02).log()
        steps = torch.cat([rings.diff(dim=1), rings[:, -1:] - rings[:, :1]], dim=1)
        brightness = (_luma(nn.functional.avg_pool2d(light, 2)) + 0.02).log()
        right = brightness[:, 1:-1, 2:] - brightness[:, 1:-1, :-2]
        down = brightness[:, 2:, 1:-1] - brightness[:, :-2, 1:-1]
        outwards = (right * self.across + down * self.down).flatten(1)
        steepness = (right**2 + down**2).flatten(1)
        smooth = [torch.exp(-steepness / most**2) for most in (0.015, 0.03, 0.06)]
        slopes = [(weight * outwards) @ self.annuli / (weight @ self.annuli + 8) * 20 for weight in smooth]
        share = self.annuli / self.annuli.sum(0)
        slopes += [outwards.clamp(-most, most) @ share / most for most in (0.01, 0.03, 0.1)]
        return steps.flatten(1), torch.cat(slopes, dim=1)


def _triangles(levels: tuple[int, ...]) -> Tensor:
    """Float64 ``(256, k)``: how much a level belongs to each of ``k`` bins; rows sum to 1."""
    middle = torch.tensor(levels, dtype=torch.float64)
    width = middle.diff()
    one = torch.ones(1, dtype=torch.float64)
    below, above = torch.cat([one, width]), torch.cat([width, one])
    at = torch.arange(256, dtype=torch.float64)[:, None]
    return torch.minimum((at - middle + below) / below, (middle + above - at) / above).clamp_min(0)


def _luma(light: Tensor) -> Tensor:
    return _LUMA[0] * light[:, 0] + _LUMA[1] * light[:, 1] + _LUMA[2] * light[:, 2]


def _counts(values: Tensor, bins: int, weights: Tensor | None = None) -> Tensor:
    """Histogram of each row, float64 ``(n, bins)``; sums of ``weights`` instead of ones where there are some.

    Args:
        values: whole numbers below ``bins``, ``(n, p)``.
    """
    rows = torch.arange(len(values), device=values.device, dtype=torch.int32)[:, None] * bins
    given = None if weights is None else weights.flatten().double()
    sums = torch.bincount((values + rows).flatten(), given, minlength=len(values) * bins)
    return sums.double().reshape(len(values), bins)


def _colours(luma: Tensor, red: Tensor, green: Tensor, blue: Tensor) -> tuple[Tensor, ...]:
    """Mean warmth, magenta and chroma by tone ``(n, 48)``, the deviations of the first two ``(n, 32)``, and roots of
    the shares of pixels at each warmth, magenta and chroma ``(n, 80)``."""
    pixels = luma.shape[1]
    warm, magenta = red - blue, red + blue - 2 * green
    chroma = torch.maximum(torch.maximum(red, green), blue) - torch.minimum(torch.minimum(red, green), blue)
    zone = luma >> 4
    weight = _counts(zone, ZONES) / pixels + FEW

    def by_zone(values: Tensor, full: int) -> Tensor:
        return _counts(zone, ZONES, values) / (pixels * full) / weight

    means = by_zone(warm, 255), by_zone(magenta, 510), by_zone(chroma, 255)
    squares = by_zone(warm * warm, 255**2), by_zone(magenta * magenta, 510**2)
    deviations = [(square - mean**2).clamp_min(0).sqrt() for square, mean in zip(squares, means, strict=False)]
    steps = (((warm + 255) >> 4).clamp(max=31), 32), (((magenta + 255) >> 4).clamp(0, 31), 32), (chroma >> 4, 16)
    shares = [(_counts(step, bins) / pixels).sqrt() for step, bins in steps]
    return torch.cat(means, 1), torch.cat(deviations, 1), torch.cat(shares, 1)


def _channel_ratios(light: Tensor) -> Tensor:
    """Quantiles of the logarithms of red to blue light and of both to green, overall and by brightness ``(n, 74)``.

    White balance multiplies light, so it moves these by the same amount whatever the picture shows.
    """
    small = nn.functional.avg_pool2d(light, 4)
    # Source: IEC 61966-2-1, the tone curve of sRGB.
    linear = torch.where(small <= 0.04045, small / 12.92, ((small + 0.055) / 1.055) ** 2.4)
    red, green, blue = (linear + 0.01).log().flatten(2).unbind(1)
    ratios = red - blue, red + blue - 2 * green
    order = _luma(small).flatten(1).argsort(dim=1, stable=True)
    last = order.shape[1] - 1
    overall = [int(share * last) for share in (0.02, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.98)]
    found = [ratio.sort(dim=1).values[:, overall] for ratio in ratios]
    for ratio in ratios:
        seventh = ratio.gather(1, order).reshape(len(light), 7, -1)
        found.append(seventh.sort(dim=2).values[:, :, [45, 224, 403]].flatten(1))
        neutral = torch.exp(-((seventh / 0.3) ** 2))
        found.append((seventh * neutral).sum(2) / (neutral.sum(2) + 8))
    return torch.cat(found, dim=1)


def _grain(light: Tensor) -> list[Tensor]:
    """Roughness of squares of the picture, of luma at two scales and of warmth ``(n, 26)`` each: from the smoothest to
    the roughest, and by tone as mean, and as means in which smooth squares count most.

    Grain roughens what is smooth, is the same in all channels, and is strongest in the mid-tones.
    """
    luma = _luma(light)
    zone = (nn.functional.avg_pool2d(luma[:, None], 8).flatten(1) * 5).int().clamp(max=4)
    counts = _counts(zone, 5)
    found: list[Tensor] = []
    half = nn.functional.avg_pool2d(luma[:, None], 2)[:, 0]
    for plane in (luma, half, light[:, 0] - light[:, 2]):
        rough = nn.functional.adaptive_avg_pool2d(_curvature(plane).abs()[:, None], BLOCK).flatten(1) + 5e-4
        logs = rough.log()
        found.append(logs.sort(dim=1).values[:, [0, 8, 24, 39, 78, 150, 235, 392, 588, 706, 770]])
        for values in (logs, 1 / rough, 1 / rough**3):
            by_zone = _counts(zone, 5, values) / counts.clamp_min(1)
            overall = values.double().mean(1, keepdim=True)
            if values is not logs:
                by_zone, overall = -by_zone.clamp_min(1e-4).log(), -overall.log()
            sure = counts / (counts + 6)
            found.append(by_zone * sure + overall * (1 - sure))
    return found


def _curvature(plane: Tensor) -> Tensor:
    """Response of planes ``(n, h, w)`` to the noise mask, of the same shape; edges are mirrored."""
    padded = nn.functional.pad(plane[:, None], (1, 1, 1, 1), mode="reflect")[:, 0]
    return second_difference_down(second_difference_across(padded)) / GAIN


def _scales(luma: Tensor) -> Tensor:
    """Logarithms of mean and root mean square of what each of five halvings loses ``(n, 10)``."""
    found: list[Tensor] = []
    current = luma[:, None]
    for _ in range(5):
        smaller = nn.functional.avg_pool2d(current, 2)
        lost = (current - nn.functional.interpolate(smaller, scale_factor=2.0, mode="bilinear")).flatten(1)
        found += [(lost.abs().mean(1) + 1e-3).log(), (lost.square().mean(1).sqrt() + 1e-3).log()]
        current = smaller
    return torch.stack(found, dim=1)


NUMBERS = len(TONES) * 4 + len(QUANTILES) * 4 + 5 * ZONES + 80 + 74 + RINGS * 7 + 6 * (len(ANNULI) - 1) + 78 + 10
