#!/usr/bin/env python3
"""Trains the U-Net of the preset fashion of DDPM in PyTorch, and says how far its samples are from the test set.

    python tests/peer/ddpm_frechet.py --steps 40000 --device cuda --ours assets/weights/ddpm-fashion/ema.safetensors

The network, batches of 64, Adam with rate 5e-4, the linear schedule of 1000 steps and the running average are
those of the preset. 1000 pictures are drawn from the average by DDIM in 50 steps, x_0 clipped to [-1, 1]. The
distance is that of Frechet between features of the classifier in assets/weights; beside it stands that of 1000
training pictures. --ours draws from weights that genscope trained too, by the same code. Needs torch.
"""

import argparse
import gzip
import json
import struct
from pathlib import Path

import torch
import torch.nn.functional as F

import networks as N

ROOT = Path(__file__).resolve().parents[2]


def pictures(folder, name):
    """An IDX file of bytes as floats in [-1, 1]: [n, 1, 28, 28]."""
    data = gzip.decompress((Path(folder) / (name + "-images-idx3-ubyte.gz")).read_bytes())[16:]
    return torch.frombuffer(bytearray(data), dtype=torch.uint8).view(-1, 1, 28, 28).float() / 127.5 - 1


def tensors(path):
    """Those of a safetensors file."""
    data = Path(path).read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = torch.frombuffer(bytearray(data[start + first : start + last]), dtype=torch.float32)
            out[name] = values.view(entry["shape"])
    return out


def moments(x, weights):
    """Mean and covariance of the classifier's features of pictures in [0, 1]."""
    with torch.no_grad():
        h = F.relu(F.conv2d(x, weights["conv1.weight"], weights["conv1.bias"], 2, 1))
        h = F.relu(F.conv2d(h, weights["conv2.weight"], weights["conv2.bias"], 2, 1)).flatten(1)
        f = F.relu(F.linear(h, weights["features.weight"], weights["features.bias"])).double().cpu()
    return f.mean(0), f.T.cov()


def frechet(a, b):
    (m, c), (n, d) = a, b
    root = torch.linalg.eigvals(c @ d).sqrt().real.sum()
    return ((m - n).square().sum() + c.trace() + d.trace() - 2 * root).item()


ABAR = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0).float()


def train(x0, steps, device, seed):
    torch.manual_seed(seed)
    net, batch, abar = N.UNet().to(device), 64, ABAR.to(device)
    adam = torch.optim.Adam(net.parameters(), lr=5e-4, capturable=device == "cuda", fused=device == "cuda")
    average = {name: p.detach().clone() for name, p in net.named_parameters()}
    keep = torch.zeros((), device=device)

    def loss():
        rows = torch.randint(0, len(x0), (batch,), device=device)
        t = torch.randint(0, 1000, (batch,), device=device)
        eps, a = torch.randn(batch, 1, 28, 28, device=device), abar[t].view(batch, 1, 1, 1)
        return F.mse_loss(net(a.sqrt() * x0[rows] + (1 - a).sqrt() * eps, t), eps)

    def step():
        adam.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        adam.step()
        with torch.no_grad():
            for name, p in net.named_parameters():
                average[name].lerp_(p, 1 - keep)
        return value.detach()

    def follow(t):
        keep.fill_(min(0.999, (t + 1) / (t + 10)))

    warm = min(steps, 20)
    if device != "cuda":
        warm = steps
    with torch.cuda.stream(torch.cuda.Stream() if device == "cuda" else None):
        for t in range(warm):
            follow(t)
            step()
        if warm < steps:  # from here on the step is replayed as one graph
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
                value = step()
        for t in range(warm, steps):
            follow(t)
            graph.replay()
            if t % 5000 == 0:
                print(f"step {t}: loss {value.item():.4f}", flush=True)
        if device == "cuda":
            torch.cuda.synchronize()
    return average


def sample(weights, device, count=1000, steps=50, seed=3):
    net = N.UNet().to(device)
    net.load_state_dict({name: w.to(device) for name, w in weights.items()})
    abar = torch.cat([torch.ones(1), ABAR]).to(device)
    x = torch.randn(count, 1, 28, 28, generator=torch.Generator().manual_seed(seed)).to(device)
    with torch.no_grad():
        for i in range(steps):
            t, after = 1000 - 1000 * i // steps, 1000 - 1000 * (i + 1) // steps
            a, b = abar[t], abar[after]
            eps = torch.cat([net(part, torch.full((len(part),), t - 1, device=device)) for part in x.split(250)])
            clean = ((x - (1 - a).sqrt() * eps) / a.sqrt()).clamp(-1, 1)
            x = b.sqrt() * clean + (1 - b).sqrt() * (x - a.sqrt() * clean) / (1 - a).sqrt()
    return (x.clamp(-1, 1) + 1) / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ours", help="ema.safetensors of a run of genscope")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--classifier", default=ROOT / "assets/weights/fashion-classifier.safetensors")
    args = parser.parse_args()
    device = args.device
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    x, test = pictures(args.data, "train").to(device), pictures(args.data, "t10k").to(device)
    classifier = {name: w.to(device) for name, w in tensors(args.classifier).items()}
    real = moments((test + 1) / 2, classifier)
    some = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))[:1000]
    print(f"train_against_test {frechet(moments((x[some.to(device)] + 1) / 2, classifier), real):.4f}", flush=True)
    if args.ours:
        print(f"ours {frechet(moments(sample(tensors(args.ours), device), classifier), real):.4f}", flush=True)
    if args.steps:
        average = train(x, args.steps, device, args.seed)
        print(f"peer {frechet(moments(sample(average, device), classifier), real):.4f}", flush=True)


if __name__ == "__main__":
    main()
