"""What the sentences of the README and of the results' page are held to: figures of the kept results."""

import json
from pathlib import Path

from sertf.runs.stored import read_history

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "experiments" / "results"
README, FULL = (
    " ".join(page.read_text(encoding="utf-8").split()) for page in (ROOT / "README.md", RESULTS / "README.md")
)


def report(place):
    return json.loads((RESULTS / place / "report.json").read_text())


def repeats(place):
    return report(place)["facts"]["repeats"]


def exact(place, score="wa"):
    return report(place)["scores"][score]["mean"]


def mean(place, score="wa"):
    return f"{exact(place, score):.2f}"


def uar(place):
    return mean(place, "uar")


def spread(place, score="wa"):
    found = report(place)["scores"][score]
    return f"{found['mean']:.2f} ± {found['std']:.2f}"


def between(place, score="wa"):
    """The interval over speakers."""
    found = report(place)["scores"][score]
    return f"{found['low']:.2f} to {found['high']:.2f}"


def by_test(place, score="wa"):
    """The mean of the highest score of any epoch on the test part, which each run's history keeps."""
    history = read_history(RESULTS / place / "history.csv.gz")
    return f"{history.groupby(['repeat', 'fold'])[f'test_{score}'].max().groupby('repeat').mean().mean():.2f}"


def accuracy(place, column, group):
    return f"{report(place)['groups'][column]['groups'][group]['accuracy']:.2f}"


def share(place, score):
    return f"{100 * report(place)['reproducibility'][score]:.0f} %"


def signed(value, digits=2):
    return f"{value:+.{digits}f}".replace("-", "−")


def differences_of(experiment):
    return json.loads((RESULTS / experiment / "overview.json").read_text())["differences"]


def difference(experiment, variant, protocol):
    """What an overview sets the variant apart by."""
    (found,) = (row for row in differences_of(experiment) if (row["variant"], row["protocol"]) == (variant, protocol))
    return found


def apart(*names, digits=2):
    return signed(difference(*names)["difference"], digits)


def over_speakers(*names, digits=2):
    found = difference(*names)
    return f"{signed(found['low'], digits)} to {signed(found['high'], digits)}"


def over_seeds(*names, digits=2):
    found = difference(*names)["over_repeats"]
    return f"{signed(found['low'], digits)} to {signed(found['high'], digits)}"
