"""Self-training of an exported ridge regression on clips of known speakers, in TensorFlow ops."""

import tensorflow as tf

from sertf.models.self_training import MOST_ROWS, ROUNDS, SHARPNESS


class SelfTraining:
    """`sertf.models.self_training` for a network of `sertf.models.linear.network`.

    Args:
        network: of `sertf.export.graph.for_inference`, with the layers "flat", "decision_values" and "temperature"; features
            scaled by speaker in.
    """

    def __init__(self, network):
        self._calibrated = (
            network.get_layer("calibrated") if "calibrated" in {one.name for one in network.layers} else None
        )
        self._flat = type(network)(network.inputs, network.get_layer("flat").output)
        self._values = network.get_layer("decision_values")
        self._temperature = network.get_layer("temperature")
        shape = self._values.kernel.shape
        self.specs = [
            tf.TensorSpec(shape, tf.float32, name="kernel"),
            tf.TensorSpec(shape[1:], tf.float32, name="bias"),
        ]

    # One function of the graph, however many signatures call it.
    @tf.function(reduce_retracing=True)
    def correction(self, scaled):
        """What clips (clips, frames, dims) add to kernel (values, classes) and bias (classes,)."""
        rows = tf.gather(scaled, _evenly(tf.shape(scaled)[0]))
        flat = self._flat(rows)
        layer = self._temperature
        values, apart, axes = (
            tf.cast(one, tf.float64)
            for one in (self._values(flat), flat * layer.scales - layer.centre, tf.convert_to_tensor(layer.axes))
        )
        penalty = tf.cast(layer.penalty, tf.float64)
        within = tf.matmul(apart, axes)
        products = (tf.matmul(apart, apart, transpose_b=True) - tf.matmul(within, within, transpose_b=True)) / penalty
        factor = tf.linalg.cholesky(tf.eye(tf.shape(products)[0], dtype=tf.float64) + products)
        now, dual = values, tf.zeros_like(values)
        for _ in tf.range(ROUNDS):
            dual = tf.linalg.cholesky_solve(factor, 2 * tf.nn.softmax(SHARPNESS * now) - 1 - values)
            now = values + tf.matmul(products, dual)
        before = tf.matmul(apart, dual, transpose_a=True)
        kernel = (before - tf.matmul(axes, tf.matmul(axes, before, transpose_a=True))) / penalty
        bias = -tf.linalg.matvec(kernel, tf.cast(layer.centre, tf.float64), transpose_a=True)
        return tf.cast(kernel, tf.float32) * layer.scales[:, None], tf.cast(bias, tf.float32)

    def outputs(self, scaled, kernel, bias):
        """Scores of clips (clips, frames, dims) with a correction, as the network's own outputs."""
        flat = self._flat(scaled)
        values = (self._values(flat) + tf.matmul(flat, kernel) + bias) / self._temperature(flat)
        scores = tf.nn.softmax(values)
        return {"scores": scores if self._calibrated is None else self._calibrated(scores)}


def _evenly(count):
    """As `sertf.models.self_training.evenly`."""
    kept = tf.minimum(count, MOST_ROWS)
    return tf.range(kept) * count // kept
