"""Golden vectors: each network against torchvision's or timm's own transforms and forward pass, same weights.

Each test imports what it compares with: torchvision and timm take seconds, and every process of a run imports modules.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

from search.errors import ModelError
from search.model_descriptions.registry import EFFICIENTNET_LITE0
from workers.embedders.image.efficientnet import efficientnet_lite0_network
from workers.embedders.image.resnet import resnet18_network
from workers.embedders.networks import Runner
from workers.embedders.video.r3d import r3d18_network
from workers.embedders.weights import weights_of

CPU = torch.device("cpu")


def pictures() -> list[Image.Image]:
    """Three pictures with structure at every scale, landscape and portrait."""
    made = []
    for seed, size in enumerate([(640, 480), (300, 500), (224, 224)]):
        rng = np.random.default_rng(seed)
        picture = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        draw = ImageDraw.Draw(picture)
        for _ in range(12):
            x, y, r = rng.integers(0, size[0]), rng.integers(0, size[1]), rng.integers(5, 90)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
        made.append(picture)
    return made


def seeded_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """Weights such as training leaves: batch norms that shift and scale, which fresh ones do not."""
    generator = torch.Generator().manual_seed(18)
    state = network.state_dict()
    for name, tensor in state.items():
        if name.endswith("running_mean"):
            state[name] = torch.randn(tensor.shape, generator=generator) * 0.1
        elif name.endswith(("running_var", "bn1.weight", "bn2.weight")):
            state[name] = torch.rand(tensor.shape, generator=generator) + 0.5
        elif tensor.ndim > 1:
            fan_in = tensor[0].numel()
            state[name] = torch.randn(tensor.shape, generator=generator) * (2 / fan_in) ** 0.5
    return state


def crops(all_pictures: list[Image.Image]) -> np.ndarray:
    from torchvision import transforms

    cut = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    return np.stack([np.asarray(cut(picture)) for picture in all_pictures])


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_resnet18_gives_the_vectors_of_torchvision() -> None:
    from torchvision.models import ResNet18_Weights, resnet18

    reference = resnet18(weights=None)
    state = seeded_state(reference)
    reference.load_state_dict(state)
    reference.eval()
    prepared = torch.stack([ResNet18_Weights.IMAGENET1K_V1.transforms()(picture) for picture in pictures()])
    with torch.inference_mode():
        logits = reference(prepared)
        reference.fc = nn.Identity()
        pooled = reference(prepared).numpy()

    vectors, probabilities = Runner(resnet18_network(state), CPU, 2)(crops(pictures()))

    assert vectors.shape == (3, 512)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert cosines(vectors, pooled).min() > 1 - 1e-4
    np.testing.assert_allclose(probabilities, logits.softmax(1).numpy(), atol=1e-3)


def test_efficientnet_lite0_gives_the_vectors_of_timm() -> None:
    import timm
    from torchvision import transforms

    reference = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    names = list(reference.state_dict())
    assert len(names) == 296
    reference.load_state_dict(dict(zip(names, weights_of(EFFICIENTNET_LITE0).values(), strict=True)))
    prepare = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    prepared = torch.stack([prepare(picture) for picture in pictures()])
    with torch.inference_mode():
        pooled = reference.forward_head(reference.forward_features(prepared), pre_logits=True).numpy()
        probabilities = reference(prepared).softmax(1).numpy()

    vectors, ours = Runner(efficientnet_lite0_network(), CPU, 2)(crops(pictures()))

    assert vectors.shape == (3, 1280)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert cosines(vectors, pooled).min() > 1 - 1e-4
    np.testing.assert_allclose(ours, probabilities, atol=1e-3)


def test_r3d18_gives_the_activations_of_torchvision() -> None:
    from torchvision.models.video import R3D_18_Weights, r3d_18

    reference = r3d_18(weights=None)
    state = seeded_state(reference)
    reference.load_state_dict(state)
    reference.eval()
    reference.fc = nn.Identity()
    rng = np.random.default_rng(3)
    frames = np.kron(rng.integers(0, 256, (2, 16, 8, 8, 3), dtype=np.uint8), np.ones((1, 1, 14, 14, 1), np.uint8))
    weights = R3D_18_Weights.KINETICS400_V1.transforms()
    # The decoder has already resized and cropped: what is left of torchvision's preset is scaling and normalising.
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (weights.mean, weights.std))
    prepared = (torch.from_numpy(frames).permute(0, 4, 1, 2, 3) / 255 - mean) / std
    with torch.inference_mode():
        expected = reference(prepared).numpy()

    (activations,) = Runner(r3d18_network(state), CPU, 1)(frames)

    assert activations.shape == (2, 512)
    assert cosines(activations, expected).min() > 1 - 1e-4


def test_the_same_pictures_give_the_same_vectors_in_any_batch() -> None:
    runner = Runner(efficientnet_lite0_network(), CPU, 8)
    together, _ = runner(crops(pictures()))
    again, _ = runner(crops(pictures()))
    alone = np.concatenate([runner(row[None])[0] for row in crops(pictures())])
    np.testing.assert_array_equal(together, again)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ModelError, match="do not fit resnet18"):
        resnet18_network({"conv1.weight": torch.zeros(1)})
    with pytest.raises(ModelError, match="2 tensors instead of 296"):
        efficientnet_lite0_network({"a": torch.zeros(1), "b": torch.zeros(1)})
    swapped = dict(weights_of(EFFICIENTNET_LITE0))
    swapped["_conv_stem.weight"] = torch.zeros(7)
    with pytest.raises(ModelError, match="do not fit efficientnet_lite0"):
        efficientnet_lite0_network(swapped)
