"""Search of ResLSTM-SA's published hyperparameter space on RAVDESS; an hour on 4 cores.

KERAS_BACKEND=jax python experiments/reslstm_sa_search.py --data RAVDESS_FOLDER
"""

from sertf.papers.reslstm_sa_search import main

if __name__ == "__main__":
    main(results="experiments/results")
