"""A tiny experiment on the embedded corpus, and ways to run it, which the tests of runner, script and export share."""

from dataclasses import replace

from sertf.experiment import runner
from sertf.experiment.cells import resolve
from sertf.experiment.description import Experiment, Setting, Teacher, TrainedNetwork, Variant
from sertf.experiment.plan import plan
from sertf.parallel import processes
from sertf.training.recipe import Recipe

RECIPE = Recipe(learning_rate=0.01, epochs=2, batch_size=8)
EXPERIMENT = Experiment(
    name="toy",
    paper="none",
    corpus="embedded",
    front_end="mfcc_chroma",
    front_end_options={"sample_rate": 16000, "n_fft": 1024, "hop_length": 512, "n_mfcc": 8, "n_mels": 20},
    variants={"small": Variant("lstm_sa", options={"units": 4}, recipes={"strict": RECIPE, "paper": RECIPE})},
    protocols={
        "strict": Setting("speaker-independent-3"),
        "paper": Setting("speaker-independent-3", scaling="corpus", watch_test=True),
    },
    seed=5,
)


def changed(**options):
    """The tiny experiment with something else in its variant."""
    return replace(EXPERIMENT, variants={"small": replace(EXPERIMENT.variants["small"], **options)})


def run(corpus, cache, out, *, experiment=EXPERIMENT, **options):
    options = {"protocol_names": ["strict"], "repeats": 1, "workers": 1, "progress": False, **options}
    return runner.run(experiment, corpus, out=out, cache=cache, **options)


def planned(corpus, cache, out, *, experiment=EXPERIMENT, **options):
    """The jobs, which nothing has run yet."""
    options = {"protocol_names": ["strict"], "repeats": 1, "progress": False, **options}
    cells = resolve(experiment, options.pop("variants", None), options.pop("protocol_names"))
    return plan(cells, corpus, out=out, cache=cache, **options).jobs


def in_process(monkeypatch, *, first=None):
    """Run jobs, the `first` few of them, here instead of in worker processes, which saves their start."""
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: [runner.run_job(job) for job in jobs[:first]])


def on_network(protocol="strict", with_teacher=False, seeds=1, **setting):
    """The tiny experiment with a ridge regression that reads its networks, or these and what their teacher reads."""
    small = EXPERIMENT.variants["small"]
    network, teacher = TrainedNetwork(small.model, small.options, RECIPE, seeds=seeds), None
    if with_teacher:
        network = replace(network, recipe=replace(RECIPE, distillation=0.5), with_teacher=True)
        teacher = Teacher("ridge", "functionals")
    reads = replace(small, model="ridge", options={"penalty": 10.0}, recipes=None, network=network, teacher=teacher)
    protocols = {protocol: Setting("speaker-independent-3", **setting)}
    return replace(EXPERIMENT, name="on_network", variants={"ridge": reads}, protocols=protocols)
