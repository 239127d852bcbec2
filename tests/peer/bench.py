#!/usr/bin/env python3
"""Times one training step of every workload in PyTorch: the peer's side of `genscope bench --against`.

    python tests/peer/bench.py --threads 2 [--only unet,dit] [--mode eager|compiled] [--seconds S]
    python tests/peer/bench.py --threads 2 --serve unet

The first form prints a line for each workload: its name and the median of a step in milliseconds. The second
is what genscope starts: it prints "ready", then answers each line "MODE SECONDS" on its standard input with
a line "MODE MILLISECONDS" (0 where the mode does not work).
Data are made outside of the timed step; noise that the algorithm draws (z, eps, t) is drawn inside it. The
optimizer is Adam with rate 1e-3. compiled: forward and loss through torch.compile, and with --device cuda the
whole step captured once in a CUDA graph. Products on a card are in TF32, with --exact in FP32.
"""

import argparse
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torch.nn.functional as F

import networks as N

bce = F.binary_cross_entropy_with_logits


def adam(net):
    trained = [p for p in net.parameters() if p.requires_grad]
    on_card = trained[0].is_cuda
    return torch.optim.Adam(trained, lr=1e-3, capturable=on_card, fused=on_card or None)


def gan2d(wrap, B=512):
    G, D = N.gan2d_generator(), N.gan2d_discriminator()
    adam_g, adam_d = adam(G), adam(D)
    x, one, zero = torch.randn(B, 2), torch.ones(B, 1), torch.zeros(B, 1)
    G, D = wrap(G), wrap(D)

    def step():
        adam_d.zero_grad(set_to_none=True)
        fake = G(torch.randn(B, 2))
        (bce(D(x), one) + bce(D(fake.detach()), zero)).backward()
        adam_d.step()
        adam_g.zero_grad(set_to_none=True)
        bce(D(G(torch.randn(B, 2))), one).backward()
        adam_g.step()

    return step


def training(net, loss, wrap):
    optimizer = adam(net)
    loss = wrap(loss)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss(net).backward()
        optimizer.step()

    return step


def vae(wrap, B=128):
    x = torch.rand(B, 784)
    return training(N.VAE(), lambda m: m.loss(x, torch.randn(B, 16)), wrap)


def vqvae(wrap, B=64):
    x = torch.rand(B, 1, 28, 28)
    return training(N.VQVAE(), lambda m: m.loss(x), wrap)


def code_prior(wrap, B=64):
    index = torch.randint(0, 128, (B, 49))
    return training(N.CodePrior(), lambda m: m.loss(index), wrap)


def noise_loss(x, *condition):
    """Of a network in t = 0 .. 999 of the linear schedule."""
    abar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)

    def loss(net):
        t = torch.randint(0, len(abar), (len(x),))
        eps = torch.randn_like(x)
        a = abar[t].view(len(x), *[1] * (x.dim() - 1))
        return F.mse_loss(net(a.sqrt() * x + (1 - a).sqrt() * eps, t, *condition), eps)

    return loss


def plane(wrap, B=1024):
    x = torch.randn(B, 2)
    return training(N.PlaneNet(), noise_loss(x), wrap)


def unet(wrap, B=64):
    x = torch.randn(B, 1, 28, 28)
    return training(N.UNet(), noise_loss(x), wrap)


def ldm(wrap, B=64):
    x, context = torch.randn(B, 4, 8, 8), torch.randn(B, 8, 64)
    net = N.UNet(cin=4, c=64, mult=(1, 2), context=64, attend_all=True)
    return training(net, noise_loss(x, context), wrap)


def dit(wrap, B=64):
    x, label = torch.randn(B, 4, 8, 8), torch.randint(0, 10, (B,))
    return training(N.DiT(patch=1), noise_loss(x, label), wrap)


def lora(wrap, B=64):
    x, label = torch.randn(B, 4, 8, 8), torch.randint(0, 10, (B,))
    return training(N.with_lora(N.DiT(patch=1)), noise_loss(x, label), wrap)


def clip(wrap, B=128):
    image, tokens = torch.rand(B, 3, 32, 32), torch.randint(0, 64, (B, 16))
    return training(N.TinyCLIP(), lambda m: m.loss(image, tokens), wrap)


def plane_sample(wrap, count=10000, steps=100):
    """Euler along the plane's field; the time embedding is computed once a step, not once a point."""
    net = wrap(N.PlaneNet())

    @torch.no_grad()
    def step():
        x = torch.randn(count, 2)
        for i in range(steps):
            x = x + net(x, torch.full((1,), i / steps)) / steps

    return step


def dit_sample(wrap, count=16, steps=50):
    """Euler with guidance 4; the time embedding is computed once a step, not once an image."""
    net = wrap(N.DiT(patch=1))
    label = torch.randint(0, 10, (count,))
    labels = torch.cat([label, torch.full_like(label, 10)])

    @torch.no_grad()
    def step():
        x = torch.randn(count, 4, 8, 8)
        for i in range(steps):
            c, u = net(torch.cat([x, x]), torch.full((1,), i / steps), labels).chunk(2)
            x = x + (u + 4.0 * (c - u)) / steps

    return step


WORKLOADS = dict(
    gan2d=gan2d, vae=vae, vqvae=vqvae, code_prior=code_prior, plane=plane, unet=unet,
    ldm=ldm, dit=dit, lora=lora, clip=clip, plane_sample=plane_sample, dit_sample=dit_sample,
)


def on_card():
    return torch.get_default_device().type == "cuda"


class Timed:
    """One workload in both modes, each made and warmed when it is first asked for."""

    def __init__(self, name):
        self.make, self.steps = WORKLOADS[name], {}

    def warm(self, mode):
        step = self.make(torch.compile if mode == "compiled" else lambda f: f)
        if not on_card():
            for _ in range(3):
                step()
            return step
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        stream.synchronize()
        if mode == "eager":
            return step
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def milliseconds(self, mode, seconds):
        if mode not in self.steps:
            self.steps[mode] = self.warm(mode)
        step, times = self.steps[mode], []
        wait = torch.cuda.synchronize if on_card() else lambda: None
        step()
        wait()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            step()
            wait()
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times)


def serve(name):
    timed = Timed(name)
    print("ready", flush=True)
    for line in sys.stdin:
        mode, seconds = line.split()
        try:
            ms = timed.milliseconds(mode, float(seconds))
        except Exception as fault:
            print(f"{name} {mode}: {type(fault).__name__}: {str(fault)[:300]}", file=sys.stderr)
            ms = 0
        print(f"{mode} {ms:.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--mode", default="eager", choices=["eager", "compiled"])
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--serve", metavar="NAME", choices=list(WORKLOADS))
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.device == "cuda":  # for the CPU it would only cost time in every call
        torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = not args.exact
    torch.manual_seed(0)
    parallel = [line.strip() for line in torch.__config__.parallel_info().splitlines()]
    built = [line.strip(" -") for line in torch.__config__.show().splitlines()]
    wanted = ("at::get_num_threads", "OpenMP", "Intel(R) MKL", "oneAPI", "CPU capability", "ATen parallel")
    where = torch.cuda.get_device_name() if on_card() else f"{torch.get_num_threads()} threads"
    print(f"# torch {torch.__version__}, {where}")
    for line in dict.fromkeys(built + parallel):
        if any(word in line for word in wanted) and "Build settings" not in line:
            print(f"# {line}")
    if args.serve:
        return serve(args.serve)
    for name in args.only.split(",") if args.only else WORKLOADS:
        print(f"{name} {Timed(name).milliseconds(args.mode, args.seconds):.3f}", flush=True)


if __name__ == "__main__":
    main()
