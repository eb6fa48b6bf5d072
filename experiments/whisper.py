"""Ridge regression on Whisper's first blocks, on RAVDESS or EmoDB; `sertf/papers/whisper.py` has its facts.

python experiments/whisper.py --corpus emodb --data EMODB_FOLDER --repeats 1
"""

from sertf.experiment import main
from sertf.papers import whisper

if __name__ == "__main__":
    main(whisper.experiment("ravdess"), on=whisper.experiment, results="experiments/results")
