"""CNN-LSTM on wavelet-scaled spectrograms, RAVDESS (Sayed et al., Traitement du Signal 2025, Tables 4 and 5).

    python experiments/wavelet_cnn_lstm_ravdess.py --data RAVDESS_FOLDER --variant cpu --repeats 3

Protocols, recipes and sizes are those of wavelet_cnn_lstm_emodb.py; calm counts as neutral, which leaves the 7 classes
that the paper's random baseline of 14.29 % implies. A run of `cpu` takes 55 to 80 minutes on a CPU core.
"""

from wavelet_cnn_lstm_emodb import wavelet_cnn_lstm_on

from sertf.experiment.command_line import main

EXPERIMENT = wavelet_cnn_lstm_on("ravdess", merged={"calm": "neutral"})

if __name__ == "__main__":
    main(EXPERIMENT)
