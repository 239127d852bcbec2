#!/usr/bin/env python3
"""Trains the small classifier whose features the Frechet distance of pictures is taken of.

    python tests/peer/train_classifier.py assets/weights/fashion-classifier.safetensors

Fashion-MNIST is read where Debian installs it. The file holds the weights, and the mean and covariance of the
features of the 10000 test pictures; the test accuracy is printed. On two cores it takes about a minute.
"""

import gzip
import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = "/usr/share/datasets/fashion-mnist/"


def images(name):
    with gzip.open(FOLDER + name + "-images-idx3-ubyte.gz") as f:
        data = np.frombuffer(f.read(), np.uint8, offset=16)
    return torch.from_numpy(data.reshape(-1, 1, 28, 28).copy()).float() / 255


def labels(name):
    with gzip.open(FOLDER + name + "-labels-idx1-ubyte.gz") as f:
        return torch.from_numpy(np.frombuffer(f.read(), np.uint8, offset=8).copy()).long()


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 2, 1)
        self.conv2 = nn.Conv2d(16, 32, 3, 2, 1)
        self.features = nn.Linear(32 * 7 * 7, 64)
        self.classes = nn.Linear(64, 10)

    def embed(self, x):
        return F.relu(self.features(F.relu(self.conv2(F.relu(self.conv1(x)))).flatten(1)))

    def forward(self, x):
        return self.classes(self.embed(x))


def save(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, t in sorted(tensors.items()):
        raw = t.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(2)
    x, y, tx, ty = images("train"), labels("train"), images("t10k"), labels("t10k")
    net = Classifier()
    epochs, batch = 3, 256
    steps = epochs * (len(x) // batch)
    adam = torch.optim.Adam(net.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(len(x) // batch):
            rows = order[i * batch : (i + 1) * batch]
            adam.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            adam.step()
            schedule.step()
    with torch.no_grad():
        f = net.embed(tx).double()
        accuracy = (net(tx).argmax(1) == ty).double().mean().item()
    print(f"test accuracy {accuracy:.4f}")
    tensors = dict(net.state_dict())
    tensors["test.mean"] = f.mean(0).float()
    tensors["test.covariance"] = torch.from_numpy(np.cov(f.numpy(), rowvar=False)).float()
    # A few pictures' own features, so that another program can be held against them.
    tensors["check.features"] = f[:4].float()
    save(sys.argv[1], tensors)


main()
