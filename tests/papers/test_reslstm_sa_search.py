from pathlib import Path

import pandas as pd

from sertf.papers.reslstm_sa_search import FULL_EPOCHS, choices


def test_the_search_chooses_each_protocols_recipe_among_its_own_finalists():
    kept = Path(__file__).parents[2] / "experiments" / "results" / "reslstm_sa_search"
    trials = pd.read_csv(kept / "trials.csv")
    assert "\n".join(choices(trials, 1440)) + "\n" == (kept / "choice.txt").read_text()
    # A trial that test scores alone brought into the final must not be chosen by `strict`, however well it validates.
    leaked = trials[trials["trial"].isin(["trial-02"])]
    leaked = leaked.assign(epochs=FULL_EPOCHS, val_uar=0.9, test_uar=0.9)
    with_test = trials.assign(
        test_uar=trials["test_uar"].mask((trials["trial"] == "trial-02") & (trials["epochs"] == 30), 0.8)
    )
    strict, paper = choices(pd.concat([with_test, leaked], ignore_index=True), 1440)
    assert "taken trial-08" in strict and "trial-02" not in strict
    assert "taken trial-02" in paper
