"""How each model of the zoo is trained on data that no paper ran on: your own recordings, or another corpus."""

from collections.abc import Mapping
from dataclasses import replace

from sertf.custom.code import is_custom
from sertf.errors import SertfError, unknown
from sertf.experiment.changes import fitted_to
from sertf.experiment.description import SPEAKER_KNOWN, Experiment, Setting, Variant
from sertf.papers import PAPERS, serct, whisper
from sertf.papers.system import System

DEFAULT = "whisper"
"""The model that is trained unless another is named: a linear one on Whisper's first blocks, whose weights ship with sertf."""
SYSTEMS = {model: system for paper in PAPERS.values() for model, system in paper.SYSTEMS.items()}
FRONT_ENDS = tuple(dict.fromkeys(system.front_end for system in SYSTEMS.values()))
OPTIONS: Mapping[str, Mapping[str, object]] = {
    serct.FRONT_END: serct.FRONT_ENDS["narrow"],
    whisper.FRONT_END: whisper.FRONT_END_OPTIONS,
}
"""Of front ends whose defaults are not what a model is trained on."""


def system(model: str) -> System:
    """Look a model's system up.

    Raises:
        SertfError: an unknown name; the message offers the nearest. A custom model, which has none.
    """
    if is_custom(model):
        raise SertfError(
            f"{model} is a custom model without a known front end and recipe; name all three in a custom experiment, a "
            "Python file (see docs/adding-a-model.md)."
        )
    if model not in SYSTEMS:
        raise SertfError(unknown("model", model, SYSTEMS))
    return SYSTEMS[model]


def front_end_of(model: str | None = None, name: str | None = None) -> tuple[str, dict[str, object]]:
    """Name and options of a front end: the model's own, or another by its name with its default options.

    The front end "waveform" has SERCT's narrow options: its default keeps each file's own rate, which no exported model
    can do. The front end "whisper" has those of its experiments.
    """
    if name is not None and is_custom(name):
        raise SertfError(
            f"{name} is a custom front end; name it in a custom experiment, a Python file (see "
            "docs/adding-a-front-end.md)."
        )
    if name is not None and name not in FRONT_ENDS:
        raise SertfError(unknown("front end", name, FRONT_ENDS))
    if model is not None and name in (None, system(model).front_end):
        return system(model).front_end, dict(system(model).front_end_options)
    assert name is not None, "a model or a front end is named"
    return name, dict(OPTIONS.get(name, {}))


def experiment(
    name: str,
    model: str,
    protocol: str,
    *,
    corpus: str = "table",
    front_end: str | None = None,
    known_speakers: bool = False,
    enrolment_clips: int | None = None,
) -> Experiment:
    """The experiment that trains a model of the zoo on a table under a protocol, its only one.

    Args:
        name: of the experiment, for its folders.
        model: key of `SYSTEMS`.
        protocol: name for `sertf.protocols.protocol`.
        corpus: key of `sertf.corpora.CORPORA`, or "table" for own data.
        front_end: key of `sertf.features.FEATURES` in place of the model's own, with options as of `front_end_of`. The
            model then trains without any augmentation, which is made for one front end.
        known_speakers: scale each speaker by clips of their own, under the name `<protocol>-speaker-known`.
        enrolment_clips: how many clips of a validation or tested speaker count then; None takes all.

    Raises:
        SertfError: an unknown name.
    """
    chosen = system(model)
    setting = Setting(protocol, scaling="speaker" if known_speakers else "training", enrolment_clips=enrolment_clips)
    name_of_setting = f"{protocol}-{SPEAKER_KNOWN}" if known_speakers else protocol
    if enrolment_clips is not None:
        name_of_setting += f"-{enrolment_clips}"
    own = front_end in (None, chosen.front_end)
    front_end, front_end_options = front_end_of(model, front_end)
    recipe = None if chosen.recipe is None else fitted_to(chosen.recipe, protocol)
    if recipe is not None and not own:
        recipe = replace(recipe, spectrogram_augmentation=None)
    variant = Variant(
        chosen.variant.model,
        recipes=None if recipe is None else {name_of_setting: recipe},
        options=dict(chosen.variant.options),
        augmentation=chosen.variant.augmentation if own else None,
        scaled_each=chosen.variant.scaled_each if own else "dimension",
        tuned_on=chosen.tuned_on,
    )
    return Experiment(
        name=name,
        paper=f"none ran on this table; front end and recipe as in {chosen.experiment.name}, {chosen.variant_name}",
        corpus=corpus,
        front_end=front_end,
        front_end_options=front_end_options,
        variants={model: variant},
        protocols={name_of_setting: setting},
    )
