#!/usr/bin/env python3
"""Writes what PyTorch computes for every network of networks.py, for tests/nn/tst_goldens.cpp to compare with.

    python tests/peer/make_goldens.py [--out tests/goldens] [--only vae,unet]

Each file holds, for a small version of one network: outputs, a summary of every gradient of the first step
(its norm, its product with a fixed vector, some 64 of its elements), and the losses of ten Adam steps (rate
1e-3) on one batch. Weights, inputs and noise are not stored: both sides make them from their names by
numbers() below. Needs torch from PyPI, and nothing else.
"""

import argparse
import json
import math
import struct
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message=".*NumPy.*")
import torch
import torch.nn.functional as F

import networks as N

STEPS, RATE, SAMPLES = 10, 1e-3, 64


def numbers(name, *shape):
    """Numbers in [-1, 1) from a name: FNV-1a, then a counter through an integer hash (lowbias32)."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF
    x = (seed + torch.arange(math.prod(shape)) * 0x9E3779B9) & 0xFFFFFFFF
    x = ((x ^ x >> 16) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ x >> 15) * 0x846CA68B) & 0xFFFFFFFF
    x = x ^ x >> 16
    return ((x >> 8).float() * 2.0**-23 - 1).view(shape)


def whole(name, count, *shape):
    """Whole numbers below `count`."""
    return ((numbers(name, *shape) + 1) * 0.5 * count).floor().long()


def set_weights(module, prefix=""):
    """Weights about as large as trained ones; none is zero, so that every path carries a gradient."""
    for name, p in module.named_parameters():
        if name == "pos_embed":
            continue
        u = numbers(prefix + name, *p.shape)
        if p.dim() == 0:
            value = 1 + 0.5 * u
        elif p.dim() == 1:
            value = 0.125 * u + (1 if name.endswith("weight") else 0)
        else:
            value = u * 2.0 ** math.floor(0.5 * math.log2(3 * p.shape[0] / p.numel()))
        p.data.copy_(value)
    return module


class Golden:
    """What goes into one file."""

    def __init__(self):
        self.tensors = {}

    def out(self, name, value):
        """Of the first step only. Images as the core keeps them: (batch, height, width, channels)."""
        value = value.detach()
        self.tensors.setdefault("out/" + name, value.permute(0, 2, 3, 1) if value.dim() == 4 else value)

    def gradients(self, module, prefix=""):
        for name, p in module.named_parameters():
            key = "gradient/" + prefix + name
            if not p.requires_grad or key in self.tensors:
                continue
            g = p.grad.reshape(-1)
            apart = -(-g.numel() // SAMPLES)
            product = (g.double() * numbers("probe/" + prefix + name, g.numel()).double()).sum()
            self.tensors[key] = torch.cat([g.norm().view(1), product.float().view(1), g[::apart]])

    def loss(self, value, name="loss"):
        self.tensors.setdefault("losses/" + name, []).append(float(value.detach()))

    def write(self, path):
        header, data = {"__metadata__": {"torch": torch.__version__}}, b""
        for name, value in self.tensors.items():
            value = torch.as_tensor(value, dtype=torch.float32).contiguous()
            packed = struct.pack(f"<{value.numel()}f", *value.reshape(-1).tolist())
            header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(packed)]}
            data += packed
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-(8 + len(text)) % 64)
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def train(net, loss):
    """`loss` takes the golden, writes the outputs there, and returns what is minimised."""
    golden = Golden()
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(golden)
        value.backward()
        golden.gradients(net)
        golden.loss(value)
        optimizer.step()
    return golden


def gan2d():
    generator = set_weights(N.gan2d_generator(hidden=13), "generator.")
    discriminator = set_weights(N.gan2d_discriminator(hidden=13), "discriminator.")
    adam_g = torch.optim.Adam(generator.parameters(), lr=RATE)
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=RATE)
    x, z_d, z_g = numbers("x", 9, 2), numbers("z_d", 9, 2), numbers("z_g", 9, 2)
    bce, golden = F.binary_cross_entropy_with_logits, Golden()
    one, zero = torch.ones(9, 1), torch.zeros(9, 1)
    for _ in range(STEPS):
        adam_d.zero_grad()
        loss = bce(discriminator(x), one) + bce(discriminator(generator(z_d).detach()), zero)
        loss.backward()
        golden.gradients(discriminator, "discriminator.")
        golden.loss(loss, "loss_d")
        adam_d.step()
        adam_g.zero_grad()
        fake = generator(z_g)
        golden.out("fake", fake)
        loss = bce(discriminator(fake), one)
        loss.backward()
        golden.gradients(generator, "generator.")
        golden.loss(loss, "loss")
        adam_g.step()
    return golden


def vae():
    net = set_weights(N.VAE(x=21, hidden=14, z=3))
    x, eps = (numbers("x", 5, 21) + 1) * 0.5, numbers("eps", 5, 3)

    def loss(golden):
        golden.out("mu", net.mu(net.enc(x)))
        golden.out("recon", net.dec(numbers("z", 5, 3)))
        return net.loss(x, eps)

    return train(net, loss)


def vqvae():
    net = set_weights(N.VQVAE(c=8, d=4, k=11))
    x = numbers("x", 2, 12, 12, 1).permute(0, 3, 1, 2)

    def loss(golden):
        z = net.enc(x)
        index, code = net.quantize(z)
        golden.out("z", z)
        golden.out("index", index.float())
        golden.out("recon", net.dec(code))
        return net.loss(x)

    return train(net, loss)


def code_prior():
    net = set_weights(N.CodePrior(k=10, n=9, d=16, depth=2, heads=4))
    index = whole("index", 10, 3, 9)
    return train(net, lambda golden: net.loss(index))


def regression(net, shape, *condition):
    """|net(x, t, ...) - target|^2 for images (batch, height, width, channels) or points."""
    to_torch = lambda v: v.permute(0, 3, 1, 2) if v.dim() == 4 else v
    x, target = to_torch(numbers("x", *shape)), to_torch(numbers("target", *shape))
    t = whole("t", 1000, shape[0])

    def loss(golden):
        y = net(x, t, *condition)
        golden.out("y", y)
        return F.mse_loss(y, target)

    return train(net, loss)


def plane():
    return regression(set_weights(N.PlaneNet(hidden=12)), (9, 2))


def unet():
    return regression(set_weights(N.UNet(c=8)), (2, 12, 12, 1))


def ldm():
    net = set_weights(N.UNet(cin=4, c=16, mult=(1, 2), context=12, attend_all=True))
    return regression(net, (2, 4, 4, 4), numbers("context", 2, 3, 12))


def dit():
    net = set_weights(N.DiT(cin=3, size=6, patch=2, d=24, depth=2, heads=3, classes=5))
    golden = regression(net, (3, 6, 6, 3), whole("label", 6, 3))
    golden.out("places", net.pos_embed)
    return golden


def lora():
    net = set_weights(N.with_lora(N.DiT(cin=4, size=4, patch=1, d=16, depth=2, heads=2, classes=5), r=3))
    return regression(net, (3, 4, 4, 4), whole("label", 6, 3))


def clip():
    net = set_weights(N.TinyCLIP(vocab=9, length=5, d=16, depth=1, heads=2, e=8, c=4))
    image, tokens = (numbers("image", 4, 32, 32, 3).permute(0, 3, 1, 2) + 1) * 0.5, whole("tokens", 9, 4, 5)
    return train(net, lambda golden: net.loss(image, tokens))


CASES = dict(
    gan2d=gan2d, vae=vae, vqvae=vqvae, code_prior=code_prior, plane=plane, unet=unet, ldm=ldm, dit=dit, lora=lora, clip=clip
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "goldens")
    parser.add_argument("--only", default="", help="names, separated by commas")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.only.split(",") if args.only else CASES:
        golden = CASES[name]()
        path = args.out / f"{name}.safetensors"
        golden.write(path)
        print(f"{path}: {path.stat().st_size} bytes, loss {golden.tensors['losses/loss'][0]:.6f} -> {golden.tensors['losses/loss'][-1]:.6f}")


if __name__ == "__main__":
    main()
