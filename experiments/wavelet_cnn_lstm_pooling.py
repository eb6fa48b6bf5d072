"""Average against max pooling in the CNN-LSTM on wavelet-scaled spectrograms (section 3.5), on EmoDB.

    python experiments/wavelet_cnn_lstm_pooling.py --data EMODB_FOLDER --repeats 3

The paper compares them in an abbreviated network whose first part is a single convolutional pipe; here that pipe is 3×3,
on the image of `cpu` in wavelet_cnn_lstm_emodb.py, under its protocols and recipes: 0.12 G multiply-adds a forward pass,
some 7 minutes a run on a CPU core.
"""

from wavelet_cnn_lstm_emodb import FRONT_END, PAPER, PROTOCOLS, variant

from sertf.experiment.command_line import main
from sertf.experiment.description import Experiment

EXPERIMENT = Experiment(
    name="wavelet_cnn_lstm_pooling",
    paper=PAPER,
    corpus="emodb",
    front_end="scalogram",
    front_end_options=FRONT_END,
    variants={
        "average": variant(kernels=(3,), pooling="average"),
        "max": variant(
            kernels=(3,), pooling="max", compared_with=("average", "max pooling in place of average pooling")
        ),
    },
    protocols=PROTOCOLS,
    seed=2025,
    remarks=(
        "Section 4.4: average pooling outperformed maximum pooling, in contrast to several previous studies. No figure is "
        "printed.",
    ),
)

if __name__ == "__main__":
    main(EXPERIMENT)
