"""CNN-LSTM on wavelet-scaled spectrograms; `sertf/papers/wavelet_cnn_lstm.py` has its facts.

python experiments/wavelet_cnn_lstm.py --corpus ravdess --data RAVDESS_FOLDER --variant cpu --repeats 3
"""

from sertf.experiment import main
from sertf.papers import wavelet_cnn_lstm

if __name__ == "__main__":
    main(
        wavelet_cnn_lstm.experiment("emodb"),
        on=wavelet_cnn_lstm.experiment,
        choices=wavelet_cnn_lstm.CORPORA,
        results="experiments/results",
    )
