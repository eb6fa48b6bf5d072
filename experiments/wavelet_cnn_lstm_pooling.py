"""Average against max pooling in the CNN-LSTM on wavelet-scaled spectrograms, on EmoDB.

python experiments/wavelet_cnn_lstm_pooling.py --data EMODB_FOLDER --repeats 3
"""

from sertf.experiment import main
from sertf.papers import wavelet_cnn_lstm

if __name__ == "__main__":
    main(wavelet_cnn_lstm.pooling(), about=wavelet_cnn_lstm.pooling.__doc__, results="experiments/results")
