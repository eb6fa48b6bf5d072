"""A model of a user's own, and some that cannot be trained, as `sertf.custom.models` imports them."""

import keras

from sertf.models.output import softmax_scores


@keras.saving.register_keras_serializable("own_network")
class Scaled(keras.layers.Layer):
    """Features times a factor."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor
        self.supports_masking = True

    def call(self, x):
        return self.factor * x

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Unregistered(Scaled):
    """What Keras cannot find again."""


def build(input_shape, num_classes, units=4, *, dropout=0.0):
    inputs = keras.Input(input_shape)
    x = Scaled(0.5)(keras.layers.Masking()(inputs))
    x = keras.layers.GRU(units)(x)
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(units, name="embedding")(x)
    return keras.Model(inputs, softmax_scores(x, num_classes), name="own_gru")


def with_anything(input_shape, num_classes, **options):
    return build(input_shape, num_classes)


def of_one(input_shape):
    pass


def required(input_shape, num_classes, units):
    return build(input_shape, num_classes, units)


def nothing(input_shape, num_classes):
    pass


def unbuilt(input_shape, num_classes):
    return keras.Sequential([keras.layers.Dense(num_classes)])


def one_too_many(input_shape, num_classes):
    return build(input_shape, num_classes + 1)


def logits(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    x = keras.layers.Rescaling(0.0, offset=1.0)(keras.layers.GlobalAveragePooling1D()(inputs))
    return keras.Model(inputs, keras.layers.Dense(num_classes, kernel_initializer="ones", dtype="float32")(x))


def attentive(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    x = keras.layers.MultiHeadAttention(1, 4, name="attention")(inputs, inputs)
    return keras.Model(inputs, softmax_scores(keras.layers.GlobalAveragePooling1D()(x), num_classes))


def unregistered(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    x = keras.layers.GlobalAveragePooling1D()(Unregistered()(inputs))
    return keras.Model(inputs, softmax_scores(x, num_classes))


not_a_function = 3
