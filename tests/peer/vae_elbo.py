#!/usr/bin/env python3
"""Trains the VAE of the preset fashion16 in PyTorch, and compares its test ELBO with Genscope's.

    python tests/peer/vae_elbo.py --genscope build/bin/genscope --steps 4690

Both sides: encoder 784-400-400 with ReLU, heads mu and log variance of 16, decoder 16-400-400-784,
Bernoulli likelihood on grey levels in [0, 1], default initialisation U(-1/sqrt(in), 1/sqrt(in)),
Adam with rate 1e-3, batches of 128 drawn without replacement epoch by epoch, one eps a picture.
The ELBO is the mean over all 10000 test pictures, with one eps each and no binarisation.
Exit code 0 if the two are within --tolerance nats. Needs torch; the data are those of Debian's
package dataset-fashion-mnist.
"""

import argparse
import gzip
import json
import struct
import subprocess
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message=".*NumPy.*")
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

PIXELS, HIDDEN, LATENT = 784, 400, 16


def read_pictures(folder, name):
    """An IDX file of 28 x 28 bytes, plain or gzipped, as floats in [0, 1]: [N, 784]."""
    plain, packed = Path(folder) / name, Path(folder) / (name + ".gz")
    data = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    magic, count, rows, columns = struct.unpack(">IIII", data[:16])
    if magic != 0x803 or rows * columns != PIXELS or len(data) != 16 + count * PIXELS:
        sys.exit(f"{name}: expected an IDX file of 28 x 28 bytes, got {count} x {rows} x {columns}")
    return torch.frombuffer(bytearray(data[16:]), dtype=torch.uint8).view(count, PIXELS).float() / 255


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        relu = nn.ReLU
        self.encoder = nn.Sequential(nn.Linear(PIXELS, HIDDEN), relu(), nn.Linear(HIDDEN, HIDDEN), relu())
        self.mean, self.log_variance = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, HIDDEN), relu(), nn.Linear(HIDDEN, HIDDEN), relu(), nn.Linear(HIDDEN, PIXELS)
        )

    def negative_elbo(self, x, eps):
        """Mean over the rows, in nats."""
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        logits = self.decoder(mean + (log_variance / 2).exp() * eps)
        reconstruction = binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
        return (reconstruction + kl) / len(x)


def train(pictures, steps, batch, seed):
    torch.manual_seed(seed)
    model = Vae()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    order = torch.empty(0, dtype=torch.long)
    start = time.time()
    for step in range(steps):
        if len(order) < batch:  # a batch may straddle two epochs
            order = torch.cat([order, torch.randperm(len(pictures))])
        rows, order = order[:batch], order[batch:]
        loss = model.negative_elbo(pictures[rows], torch.randn(batch, LATENT))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 200 == 199:
            rate = (step + 1) / (time.time() - start)
            print(f"\r  PyTorch: step {step + 1} of {steps}, {rate:.0f} a second", end="", file=sys.stderr)
    print(file=sys.stderr)
    return model


@torch.no_grad()
def test_elbo(model, pictures):
    parts = pictures.split(1000)
    return -sum(float(model.negative_elbo(x, torch.randn(len(x), LATENT))) * len(x) for x in parts) / len(pictures)


def genscope_elbo(program, steps, seed, threads):
    command = [program, "train", "--lesson", "vae", "--preset", "fashion16", "--steps", str(steps)]
    command += ["--seed", str(seed), "--threads", str(threads), "--json"]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    result = json.loads(out)
    if result.get("elbo_test") is None:
        sys.exit(f"genscope: expected elbo_test in its answer, got {sorted(result)}")
    return float(result["elbo_test"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genscope", help="the program to compare with; without it only PyTorch trains")
    parser.add_argument("--steps", type=int, default=4690, help="training steps (4690 are ten epochs)")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="one run of each side a seed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tolerance", type=float, default=2.0, help="nats")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="folder of the IDX files")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    training = read_pictures(args.data, "train-images-idx3-ubyte")
    test = read_pictures(args.data, "t10k-images-idx3-ubyte")
    worst = 0.0
    for seed in args.seeds:
        peer = test_elbo(train(training, args.steps, args.batch, seed), test)
        line = f"seed {seed}: PyTorch {torch.__version__} {peer:.2f} nats"
        if args.genscope:
            ours = genscope_elbo(args.genscope, args.steps, seed, args.threads)
            worst = max(worst, abs(ours - peer))
            line += f", Genscope {ours:.2f} nats, difference {ours - peer:+.2f}"
        print(line, flush=True)
    if worst > args.tolerance:
        sys.exit(f"expected a difference of at most {args.tolerance} nats, got {worst:.2f}")


if __name__ == "__main__":
    main()
