"""ResLSTM-SA and LSTM-SA on RAVDESS; `sertf/papers/reslstm_sa.py` has their facts.

KERAS_BACKEND=jax python experiments/reslstm_sa.py --data RAVDESS_FOLDER
"""

from sertf.experiment import main
from sertf.papers import reslstm_sa

if __name__ == "__main__":
    main(reslstm_sa.experiment(), about=reslstm_sa.experiment.__doc__, results="experiments/results")
