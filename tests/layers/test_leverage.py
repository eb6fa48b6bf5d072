import keras
import numpy as np

from sertf.layers import LeverageTemperature
from sertf.models.confidence import Curve
from sertf.models.ridge import fit_ridge


def test_the_layer_follows_the_curve_over_the_leverage(tmp_path):
    rng = np.random.default_rng(0)
    rows, seen = rng.normal(size=(200, 12)) * np.arange(1, 13), rng.normal(size=(30, 12)) * 9
    leverage, curve = fit_ridge(rows, rows[:, :2], [10.0], np.ones(200))[0].leverage, Curve(0.3, 0.1, 1.7)
    layer = LeverageTemperature(leverage.axes.shape[1], name="temperature")
    model = keras.Sequential([keras.Input((12,)), layer])
    scales = rng.uniform(0.5, 1.0, 12)
    layer.set_weights([scales, leverage.centre, leverage.axes, np.array(10.0), np.array(curve)])
    expected = curve(leverage(seen * scales))
    np.testing.assert_allclose(model.predict_on_batch(seen.astype("float32"))[:, 0], expected, rtol=1e-3)
    assert not model.trainable_weights
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict_on_batch(seen.astype("float32")), model.predict_on_batch(seen.astype("float32"))
    )
