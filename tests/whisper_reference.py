"""Whisper's encoder written out in NumPy, in float64: what ours is compared with."""

import numpy as np
from scipy.special import erf


def encoder_outputs(weights, mel, heads):
    """What enters the first block and what leaves each, (tokens, dims) each, of a log mel spectrogram (frames, 80)."""
    weights = {name: array.astype("float64") for name, array in weights.items()}

    def gelu(x):
        return x * (1 + erf(x / np.sqrt(2))) / 2

    def affine(x, name):
        return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0)

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def convolution(x, name, stride):
        x = np.pad(x, ((1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, 3, axis=0)[::stride]  # (frames, in, 3)
        return gelu(np.einsum("tik,oik->to", windows, weights[f"{name}.weight"]) + weights[f"{name}.bias"])

    def attention(x, name):
        q, k, v = (affine(x, f"{name}.{part}_proj").reshape(len(x), heads, -1).swapaxes(0, 1) for part in "qkv")
        scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]))
        mixed = scores / scores.sum(-1, keepdims=True) @ v
        return affine(mixed.swapaxes(0, 1).reshape(x.shape), f"{name}.out_proj")

    x = convolution(convolution(np.asarray(mel, "float64"), "conv1", 1), "conv2", 2)
    outputs = [x + weights["embed_positions.weight"][: len(x)]]
    while f"layers.{len(outputs) - 1}.fc1.weight" in weights:
        x, own = outputs[-1], f"layers.{len(outputs) - 1}"
        x = x + attention(norm(x, f"{own}.self_attn_layer_norm"), f"{own}.self_attn")
        outputs.append(x + affine(gelu(affine(norm(x, f"{own}.final_layer_norm"), f"{own}.fc1")), f"{own}.fc2"))
    return outputs


def final_norm(weights, x):
    """Whisper's last normalisation, behind the last block."""
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x * weights["layer_norm.weight"].astype("float64") + weights["layer_norm.bias"].astype("float64")
