#!/usr/bin/env python3
"""Times one training step of a small GAN in PyTorch and in Genscope, turn by turn.

    python tests/peer/gan2d_step.py --genscope build/bin/genscope --threads 2

The step: batch 512; G 2-128-128-2 with ReLU, D 2-128-128-1 with LeakyReLU 0.2; D's update on real and
fresh fake points, then G's update on other fresh fakes through the new D (non-saturating); Adam 1e-3.
The noise is drawn inside the step, the data are not. The two programs alternate, so that both see the
same load of the machine; the medians of the rounds are compared. Needs torch.
"""

import argparse
import statistics
import subprocess
import sys
import time
import warnings

warnings.filterwarnings("ignore", message=".*NumPy.*")
import torch
from torch import nn
from torch.nn.functional import softplus

BATCH, WIDTH = 512, 128


def network(out, activation):
    return nn.Sequential(
        nn.Linear(2, WIDTH), activation(), nn.Linear(WIDTH, WIDTH), activation(), nn.Linear(WIDTH, out)
    )


def make_step():
    generator = network(2, nn.ReLU)
    discriminator = network(1, lambda: nn.LeakyReLU(0.2))
    adam_g = torch.optim.Adam(generator.parameters(), lr=1e-3)
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    real = torch.randn(BATCH, 2)

    def step():
        with torch.no_grad():
            fake = generator(torch.randn(BATCH, 2))
        loss_d = softplus(-discriminator(real)).mean() + softplus(discriminator(fake)).mean()
        adam_d.zero_grad()
        loss_d.backward()
        adam_d.step()
        loss_g = softplus(-discriminator(generator(torch.randn(BATCH, 2)))).mean()
        adam_g.zero_grad()
        loss_g.backward()
        adam_g.step()

    return step


def time_peer(step, seconds):
    """The median time of a step in milliseconds."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def time_genscope(program, threads, seconds):
    """Genscope prints the name of the workload and its milliseconds."""
    command = [program, "bench", "gan2d", "--threads", str(threads), "--seconds", str(seconds)]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    for line in out.splitlines():
        words = line.split()
        if words[:1] == ["gan2d"]:
            return float(words[1])
    sys.exit(f"genscope bench: expected a line of gan2d and its milliseconds, got {out.strip()[:200]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genscope", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each program in each round")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    print(torch.__config__.show())
    step = make_step()
    time_peer(step, 1.0)  # warm
    peer, ours = [], []
    for turn in range(args.rounds):
        peer.append(time_peer(step, args.seconds))
        ours.append(time_genscope(args.genscope, args.threads, args.seconds))
        print(f"round {turn + 1}: PyTorch {peer[-1]:.3f} ms, Genscope {ours[-1]:.3f} ms", flush=True)
    a, b = statistics.median(peer), statistics.median(ours)
    print(f"gan2d, {args.threads} threads: PyTorch eager {a:.3f} ms, Genscope {b:.3f} ms, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
