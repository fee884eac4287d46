"""The base child of packages/ronasmis/src/network/child.ts, as a PyTorch user would write it."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Sequential):
    """Two 3x3x3 convolutions, each with instance normalisation and a leaky ReLU."""

    def __init__(self, source, width):
        layers = []
        for channels in (source, width):
            layers += [
                nn.Conv3d(channels, width, 3, padding=1, bias=False),
                nn.InstanceNorm3d(width, affine=True),
                nn.LeakyReLU(0.01, inplace=True),
            ]
        super().__init__(*layers)


class Network(nn.Module):
    """A U-Net whose skips are added after a 1x1x1 convolution; logits of the three finest levels, the finest first."""

    def __init__(self, channels, inputs, classes):
        super().__init__()
        sources = [inputs, *channels]
        self.encoder = nn.ModuleList(Block(sources[i], width) for i, width in enumerate(channels))
        finer = list(enumerate(channels[:-1]))
        self.below = nn.ModuleList(nn.Conv3d(channels[i + 1], width, 1, bias=False) for i, width in finer)
        self.skips = nn.ModuleList(nn.Conv3d(width, width, 1, bias=False) for _, width in finer)
        self.decoder = nn.ModuleList(Block(width, width) for _, width in finer)
        self.heads = nn.ModuleList(nn.Conv3d(channels[i], classes, 1) for i in range(3))

    def forward(self, x):
        encoded = []
        for i, block in enumerate(self.encoder):
            x = block(F.max_pool3d(x, 2, ceil_mode=True) if i > 0 else x)
            encoded.append(x)
        logits = []
        for i in reversed(range(len(self.decoder))):
            depth, height, width = encoded[i].shape[2:]
            x = F.interpolate(self.below[i](x), scale_factor=2, mode='trilinear')[:, :, :depth, :height, :width]
            x = self.decoder[i](x + self.skips[i](encoded[i]))
            if i < 3:
                logits.insert(0, self.heads[i](x))
        return logits


def level_loss(logits, label):
    """Soft Dice over the foreground and cross-entropy, in float32."""
    logits = logits.float()
    one_hot = torch.zeros_like(logits).scatter_(1, label[:, None], 1)[:, 1:]
    foreground = logits.softmax(1)[:, 1:]
    axes = (2, 3, 4)
    overlap = (foreground * one_hot).sum(axes)
    dice = (2 * overlap + 1e-5) / (foreground.sum(axes) + one_hot.sum(axes) + 1e-5)
    return 1 - dice.mean() + F.cross_entropy(logits, label)


def loss(logits, label):
    """Deep supervision: each level against every second, fourth voxel of the label, weighted 4, 2 and 1."""
    weights = (4 / 7, 2 / 7, 1 / 7)
    return sum(w * level_loss(x, label[:, ::2**i, ::2**i, ::2**i]) for i, (w, x) in enumerate(zip(weights, logits)))
