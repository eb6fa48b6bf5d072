"""What a training step of SERCT costs: parameters, seconds, peak memory. On noise, so that no corpus is needed.

    python experiments/bench/serct.py --batch 2
    python experiments/bench/serct.py --batch 16 --precision bfloat16 --steps 20
    python experiments/bench/serct.py --size narrow --samples 48000 --batch 16 --steps 20

The first is the paper's size on a CPU, where two utterances a step are enough to wait for; the second is for a GPU, whose
memory it prints too; the third is what trains on a CPU. The first step, which builds the graph, is timed by itself.
"""

import argparse
import resource
import time

import numpy as np

from sertf.errors import SertfError, in_one_sentence


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="paper", help="paper or narrow (paper)")
    parser.add_argument("--samples", type=int, default=144_000, help="of an utterance (144000)")
    parser.add_argument("--batch", type=int, default=2, help="utterances a step (2)")
    parser.add_argument("--steps", type=int, default=1, help="steps that are timed behind the first (1)")
    parser.add_argument("--attention", default="deformable", help="deformable or vanilla (deformable)")
    parser.add_argument("--precision", default="float32", help="float32 or bfloat16 (float32)")
    options = parser.parse_args()
    if options.steps < 1:
        raise SertfError(f"--steps must be 1 or more, but is {options.steps}.")

    from sertf.training.batches import Batches, as_dataset
    from sertf.training.fit import fit
    from sertf.training.network import build_network
    from sertf.training.recipe import Recipe
    from sertf.training.scaling import Part

    noise = np.random.default_rng(0).normal(size=(options.batch, options.samples, 1)).astype("float32")
    utterances = tuple(map(str, range(options.batch)))
    part = Part(utterances, list(noise), np.arange(options.batch, dtype="int32") % 7)
    recipe = Recipe(
        batch_size=options.batch, epochs=1 + options.steps, l2=5e-3, monitor=None, precision=options.precision
    )
    ends = [time.perf_counter()]
    fitted = fit(
        lambda: build_network(
            "serct", {"size": options.size, "attention": options.attention}, recipe, (options.samples, 1), 7
        ),
        recipe,
        train=as_dataset(Batches(part, options.batch, seed=0)),  # one batch an epoch
        validation=None,
        num_classes=7,
        seed=0,
        watch=lambda *_: {"end": ends.append(time.perf_counter()) or len(ends)},
    )
    seconds = np.diff(ends)
    steps = fitted.model.get_layer("projection").output.shape[1]
    print(f"SERCT, size {options.size}, {options.attention} attention, {options.precision}, on {_device()}")
    print(f"parameters   {fitted.model.count_params():,}")
    print(f"input        {options.batch} x {options.samples} samples, {steps} steps of the transformer")
    print(f"first step   {seconds[0]:.2f} s with building the network")
    print(f"later steps  {seconds[1:].mean():.3f} s each, mean of {options.steps}")
    print(
        f"peak memory  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB of the process{_on_gpu()}"
    )


def _device():
    from sertf.training.environment import environment

    found = environment()
    return f"{found['backend']}, {found['device']}"


def _on_gpu():
    import keras

    if keras.backend.backend() != "tensorflow":
        return ""
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return ""
    return f", {tf.config.experimental.get_memory_info('GPU:0')['peak'] / 2**30:.2f} GiB on the GPU"


if __name__ == "__main__":
    main()
