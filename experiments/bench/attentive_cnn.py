"""Processor time of a training step of the attentive CNN on one core: ours beside the same network in PyTorch.

    pip install torch
    python experiments/bench/attentive_cnn.py

Both train on 1152 clips of noise as long as those of RAVDESS. A batch has 32 by 192 frames and 64 bands. Both use AdamW and
averaged weights. Ours draws its augmentation too; PyTorch gets finished batches. The first epoch, which compiles, does not
count. A fold has as many steps as the recipe has on RAVDESS. PyTorch's has those of 60 epochs without altered copies, as in
the trial that the recipe comes from. Without PyTorch its line is left out. Five minutes.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time

import numpy as np

from sertf.errors import in_one_sentence

CLIPS, BATCH, FRAMES, BANDS, CLASSES = 1152, 32, 192, 64, 8
TRIAL_EPOCHS = 60


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        way, width = options.worker
        print(json.dumps(seconds_in_pytorch(int(width)) if way == "PyTorch" else seconds_here(way, int(width))))
        return
    from sertf.papers.attentive_cnn import COPIES, RECIPE, SIZES

    steps = CLIPS // BATCH
    ways = {"bfloat16": RECIPE.epochs * (1 + COPIES.copies), "float32": RECIPE.epochs * (1 + COPIES.copies)}
    if importlib.util.find_spec("torch") is not None:
        ways["PyTorch"] = TRIAL_EPOCHS
    print(f"{'size':6}{'':10}{'s a step':>10}{'of input':>10}{'passes':>8}{'core-minutes a fold':>22}")
    for size, given in SIZES.items():
        for way, passes in ways.items():
            step, share = measured(way, given["width"])
            print(f"{size:6}{way:10}{step:10.3f}{share:10.1%}{passes:8}{step * steps * passes / 60:22.1f}", flush=True)


def measured(way, width):
    """Seconds a step and the input's share of them, of a process of its own with one thread."""
    one_thread = {f"{name}_THREADS": "1" for name in ("OMP_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")}
    environment = os.environ | one_thread | {"KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, __file__, "--worker", way, str(width)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def seconds_here(precision, width):
    """Of our runner's fit: its second epoch less what a first one takes beside it."""
    from dataclasses import replace

    from sertf.papers.attentive_cnn import RECIPE
    from sertf.training import trainers
    from sertf.training.batches import Batches
    from sertf.training.scaling import Part

    rng = np.random.default_rng(0)
    clips = [rng.normal(size=(frames, BANDS)).astype("float32") for frames in rng.integers(110, 220, CLIPS)]
    names = tuple(str(i) for i in range(CLIPS))
    part = Part(names, clips, rng.integers(0, CLASSES, CLIPS).astype("int32"))
    parts = {"train": part, "validation": part.taken([], ()), "test": part.taken([], ())}
    network, spent = trainers.find("attentive_cnn"), []
    for epochs in (1, 3):
        recipe = replace(RECIPE, precision=precision, epochs=epochs, warmup_epochs=0)
        began = time.process_time()
        emotions = tuple("abcdefgh")
        network.fit(parts, {"width": width}, recipe, input_shape=(None, BANDS), emotions=emotions, seed=0)
        spent.append(time.process_time() - began)
    batches = Batches(part, BATCH, seed=0, classes=CLASSES, augmentation=RECIPE.spectrogram_augmentation, mixup=0.3)
    began = time.process_time()
    for indices in batches.order():
        batches.batch(indices)
    drawn = time.process_time() - began
    epoch = (spent[1] - spent[0]) / 2
    return epoch / len(batches), drawn / epoch


def seconds_in_pytorch(width):
    """Of a plain loop over one batch."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(1)

    def convolution(entering, leaving, size, stride=1):
        return nn.Conv2d(entering, leaving, size, stride, padding=size // 2, bias=False)

    class Block(nn.Module):
        def __init__(self, entering, leaving):
            super().__init__()
            self.first, self.second = convolution(entering, leaving, 3), convolution(leaving, leaving, 3)
            self.norms = nn.ModuleList(nn.BatchNorm2d(leaving) for _ in range(2))
            self.shortcut = nn.Identity() if entering == leaving else convolution(entering, leaving, 1)

        def forward(self, x):
            y = functional.relu(self.norms[0](self.first(x)))
            return functional.relu(self.norms[1](self.second(y)) + self.shortcut(x))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(convolution(1, width, 5, 2), nn.BatchNorm2d(width), nn.ReLU())
            pairs = ((width, width), (width, 2 * width), (2 * width, 4 * width))
            self.blocks = nn.ModuleList(Block(*pair) for pair in pairs)
            values = BANDS // 16 * 4 * width
            self.states = nn.Linear(values, 4 * width)
            self.attention = nn.Sequential(nn.Linear(values, 64), nn.Tanh(), nn.Linear(64, 4 * width))
            self.head = nn.Sequential(nn.BatchNorm1d(8 * width), nn.Dropout(0.4), nn.Linear(8 * width, CLASSES))

        def forward(self, x):
            x = self.stem(x[:, None])
            for block, pool in zip(self.blocks, ((2, 2), (2, 2), (1, 2))):
                x = functional.max_pool2d(block(x), pool)
            x = x.permute(0, 2, 1, 3).flatten(2)
            weights, states = torch.softmax(self.attention(x), dim=1), functional.relu(self.states(x))
            mean = (weights * states).sum(1)
            deviation = ((weights * states.square()).sum(1) - mean.square()).clamp(1e-5).sqrt()
            return self.head(torch.cat([mean, deviation], dim=1))

    network = Network()
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=0.02)
    images, targets = torch.randn(BATCH, FRAMES, BANDS), torch.softmax(torch.randn(BATCH, CLASSES), dim=1)
    steps, began = 20, 0.0
    for step in range(steps + 3):
        if step == 3:
            began = time.process_time()
        loss = functional.cross_entropy(network(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        averaged.update_parameters(network)
    return (time.process_time() - began) / steps, 0.0


if __name__ == "__main__":
    main()
