"""Make `campplus_zh_en.onnx` from the published CAM++ weights. Needs torch and onnx, which users do not.

    python models/export_campplus.py campplus_cn_en_common.pt models/campplus_zh_en.onnx

CAM++ (Wang et al. 2023, arXiv 2303.00332): a small 2-D residual front end over time and frequency, then a
densely connected time-delay network whose layers are masked by the context of their segment and of the whole
window, then mean and deviation over time, then one linear layer to the 192 numbers of a voice.

Input `features`: float32, shape (batch, frames, 80), log mel energies less their mean over time.
Output `embedding`: float32, shape (batch, 192), not normalised.

Weights of 1 kB and more are stored as int8 with one scale per output channel; onnxruntime turns them back to
float32 once, when it loads the file, so the arithmetic is float32 all the way.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

BANDS, WIDTH, GROWTH, BOTTLENECK, EMBEDDING = 80, 32, 32, 128, 192
BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of the three dense blocks."""
SEGMENT = 100
"""Frames (of 20 ms) of the segments whose mean is a layer's local context."""


class Norm(nn.Module):
    """Batch normalisation and ReLU, under the names of the published weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.batchnorm(x))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; `stride` thins the frequency axis only."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(WIDTH, WIDTH, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(WIDTH)
        thin = nn.Conv2d(WIDTH, WIDTH, 1, stride=(stride, 1), bias=False)
        self.shortcut = nn.Sequential(thin, nn.BatchNorm2d(WIDTH)) if stride > 1 else nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class FrontEnd(nn.Module):
    """(batch, 80, frames) -> (batch, 320, frames): 32 maps of 10 frequency rows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, WIDTH, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.layer1 = nn.Sequential(Residual(2), Residual(1))
        self.layer2 = nn.Sequential(Residual(2), Residual(1))
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x.unsqueeze(1))))
        x = F.relu(self.bn2(self.conv2(self.layer2(self.layer1(x)))))
        return x.flatten(1, 2)


class ContextMask(nn.Module):
    """A dilated convolution, masked by the mean of the window plus the mean of the frame's segment."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(BOTTLENECK, GROWTH, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(BOTTLENECK, BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(BOTTLENECK // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        segments = F.avg_pool1d(x, SEGMENT, SEGMENT, ceil_mode=True)
        spread = segments.repeat_interleave(SEGMENT, dim=-1)[..., : x.shape[-1]]
        context = F.relu(self.linear1(x.mean(-1, keepdim=True) + spread))
        return self.linear_local(x) * torch.sigmoid(self.linear2(context))


class DenseLayer(nn.Module):
    """Adds `GROWTH` channels to its input."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = Norm(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = Norm(BOTTLENECK)
        self.cam_layer = ContextMask(dilation)

    def forward(self, x: Tensor) -> Tensor:
        y = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return torch.cat((x, y), dim=1)


class Unit(nn.Module):
    """Time-delay layer at the start of the network: convolution, then normalisation."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 5, stride=2, padding=2, bias=False)
        self.nonlinear = Norm(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x))


class Transit(nn.Module):
    """Halves the channels between dense blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = Norm(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.nonlinear(x))


class Dense(nn.Module):
    """The last layer, (batch, 1024) -> (batch, 192)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, EMBEDDING, 1, bias=False)
        self.nonlinear = nn.Module()
        self.nonlinear.batchnorm = nn.BatchNorm1d(EMBEDDING, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear.batchnorm(self.linear(x.unsqueeze(-1)).squeeze(-1))


class CamPlusPlus(nn.Module):
    """(batch, frames, 80) -> (batch, 192). Module names follow the published state dict."""

    def __init__(self) -> None:
        super().__init__()
        self.head = FrontEnd()
        self.xvector = nn.Module()
        self.xvector.tdnn = Unit(WIDTH * BANDS // 8, BOTTLENECK)
        channels, self.order = BOTTLENECK, ["tdnn"]
        for number, (layers, dilation) in enumerate(BLOCKS, start=1):
            block = nn.Sequential()
            for layer in range(layers):
                block.add_module(f"tdnnd{layer + 1}", DenseLayer(channels + layer * GROWTH, dilation))
            channels += layers * GROWTH
            self.xvector.add_module(f"block{number}", block)
            self.xvector.add_module(f"transit{number}", Transit(channels))
            self.order += [f"block{number}", f"transit{number}"]
            channels //= 2
        self.xvector.out_nonlinear = Norm(channels)
        self.xvector.dense = Dense(2 * channels)

    def forward(self, features: Tensor) -> Tensor:
        x = self.head(features.transpose(1, 2))
        for name in [*self.order, "out_nonlinear"]:
            x = getattr(self.xvector, name)(x)
        mean = x.mean(-1)
        count = x.shape[-1]
        deviation = ((x - mean.unsqueeze(-1)).square().sum(-1) / (count - 1)).clamp(min=1e-10).sqrt()
        return self.xvector.dense(torch.cat((mean, deviation), dim=1))


def load(weights: Path) -> CamPlusPlus:
    model = CamPlusPlus().eval()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model


def export(model: CamPlusPlus, target: Path) -> None:
    torch.onnx.export(
        model,
        (torch.zeros(2, 150, BANDS),),
        str(target),
        input_names=["features"],
        output_names=["embedding"],
        dynamic_axes={"features": {0: "batch", 1: "frames"}, "embedding": {0: "batch"}},
        opset_version=14,
        do_constant_folding=True,
        dynamo=False,
    )


def shrink(model: onnx.ModelProto, smallest: int = 256) -> onnx.ModelProto:
    """Replace float weights by int8 ones, a scale per output channel and the nodes that multiply them."""
    graph, nodes = model.graph, []
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.ndim < 3 or values.size < smallest:
            continue
        axes = tuple(range(1, values.ndim))
        scale = np.maximum(np.abs(values).max(axis=axes, keepdims=True), 1e-12) / 127
        small = np.round(values / scale).astype(np.int8)
        name = weight.name
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(small, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        nodes.append(helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + rest)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--float32", action="store_true", help="keep the weights as they are (28 MB)")
    options = parser.parse_args()
    export(load(options.weights), options.target)
    if not options.float32:
        onnx.save(shrink(onnx.load(options.target)), options.target)


if __name__ == "__main__":
    main()
