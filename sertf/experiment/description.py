"""The frozen description of an experiment: paper, corpus, front end, models, recipes, protocols, published scores."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sertf import files
from sertf.audio.augmentation import Augmentation
from sertf.errors import SertfError, check_whole, unknown
from sertf.runs.facts import SPEAKER_KNOWN
from sertf.training.recipe import Recipe

SCALINGS = ("training", "corpus", "speaker")


@dataclass(frozen=True)
class Setting:
    """How an experiment applies a protocol.

    Attributes:
        folds: name in `sertf.protocols.splits`.
        scaling: rows that mean and deviation come from: "training" part, the whole "corpus", test rows included, or
            each "speaker" by unlabelled clips of their own, tested speakers included.
        enrolment_clips: how many clips a validation or tested speaker is scaled by, drawn by the seed of a run; None
            takes all. Training speakers are scaled by all of theirs. 0 takes all of a validation speaker, and scales
            tested speakers by the training part, as an exported model does for a speaker it has no clips of.
        tuned_on_test: the recipe was chosen by scores of the test parts, as many authors do; enters the audit.
        watch_test: log the test part's UAR after every epoch; it never decides anything, and is off where the
            protocol is honest.
    """

    folds: str
    scaling: str = "training"
    tuned_on_test: bool = False
    watch_test: bool = False
    enrolment_clips: int | None = None

    def __post_init__(self):
        if self.scaling not in SCALINGS:
            raise SertfError(f"Setting scaling must be one of {', '.join(SCALINGS)}, but is {self.scaling!r}.")
        if self.enrolment_clips is not None:
            check_whole("Setting", least=0, enrolment_clips=self.enrolment_clips)
            if self.scaling != "speaker":
                raise SertfError(
                    f'Setting enrolment_clips is for scaling="speaker", but scaling is {self.scaling!r}; leave it out.'
                )


def known_speakers(setting: Setting, clips: Iterable[int] = ()) -> dict[str, Setting]:
    """A setting with known speakers, by name: each scaled by all of their clips, and by so many of each number.

    >>> list(known_speakers(Setting("speaker-independent-5"), clips=(20, 5)))
    ['speaker-known', 'speaker-known-20', 'speaker-known-5']
    """
    by_all = replace(setting, scaling="speaker")
    return {SPEAKER_KNOWN: by_all} | {f"{SPEAKER_KNOWN}-{n}": replace(by_all, enrolment_clips=n) for n in clips}


@dataclass(frozen=True)
class Teacher:
    """A linear model whose probabilities a network learns beside the labels, by the `distillation` of its recipe.

    It is fitted on the training part of the same fold. Inner folds, speakers apart, give the probabilities, so that it
    never saw the speaker of a clip that it teaches. A temperature calibrates them.

    Attributes:
        model: name in `sertf.models.linear.LINEAR`.
        front_end: name in `sertf.features.FEATURES`, with one shape for all clips.
        front_end_options: its keyword arguments.
    """

    model: str
    front_end: str
    front_end_options: Mapping[str, object] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """The teacher as plain values."""
        return {"model": self.model, "front_end": {"name": self.front_end, "options": dict(self.front_end_options)}}


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that is trained on each fold first. A linear model then reads its values of a clip in place of features.

    With several seeds it reads as many networks side by side.

    Its training clips are those of the fold, altered copies too. The linear model trains on the clips as recorded.

    Attributes:
        model: name in `sertf.models.MODELS`, of a network with a layer "embedding"; see `sertf.models.clip_features`.
        options: keyword arguments of its builder.
        recipe: how it is trained.
        with_teacher: whether the linear model reads the features of the network's teacher too, behind the values.
        seeds: how many networks of other seeds are trained alike and read together. Repeat n reads those of repeats
            n × seeds to n × seeds + seeds - 1 of a training of one network.
    """

    model: str
    options: Mapping[str, object]
    recipe: Recipe
    with_teacher: bool = False
    seeds: int = 1

    def __post_init__(self):
        check_whole("TrainedNetwork", least=1, seeds=self.seeds)

    def to_dict(self) -> dict:
        """The network as plain values."""
        described: dict = {"name": self.model, "options": dict(self.options), "recipe": self.recipe.to_dict()}
        described |= {"with_teacher": True} if self.with_teacher else {}
        return described | ({"seeds": self.seeds} if self.seeds > 1 else {})


@dataclass(frozen=True)
class Variant:
    """One model of an experiment.

    Attributes:
        model: name in `sertf.models.MODELS` or `sertf.models.classical.CLASSICAL`, or "module:function" of a custom
            model, see `sertf.custom.models`.
        options: keyword arguments of its builder.
        recipes: `Recipe` by protocol name; None for a scikit-learn model.
        published: scores of the paper by name, each (mean, standard deviation, best), None where not printed. If protocols
            differ, it maps a protocol's name to such scores. Names are those of `sertf.reports.summary.SCORES`,
            `recall_<emotion>`, `precision_<emotion>`, `f1_<emotion>`, `wa_<fold>` and `uar_<fold>`, or any other.
        front_end_options: keyword arguments of the front end, over those of the experiment.
        augmentation: `sertf.audio.augmentation.Augmentation` of the training part; None trains on clean speech alone.
        teacher: `Teacher` for recipes with `distillation`; None has none.
        network: `TrainedNetwork` whose values of a clip a linear model reads; None reads the features. Augmentation and
            teacher are the network's then.
        scaled_each: what gets a mean and a deviation: each "dimension" of the features, each "cell", a dimension in a
            frame, or "nothing".
        compared_with: (another variant, what differs here). The report gives the difference in a line. None compares with
            no variant.
        for_gpu: too large for a CPU or its memory. Scripts run it only by its name. It decides no run.
        tuned_on: names of the corpora that the recipe was tuned on. If one of them is tested too, the audit reports it.
            It decides no run.
        title: the variant in plain words, for tables; decides no run.
        headline: the README's table shows it, as the paper's system or its printed rival; decides no run.
    """

    model: str
    recipes: Mapping[str, Recipe] | None
    options: Mapping[str, object] = field(default_factory=dict)
    published: Mapping[str, tuple] | Mapping[str, Mapping[str, tuple]] = field(default_factory=dict)
    front_end_options: Mapping[str, object] = field(default_factory=dict)
    augmentation: Augmentation | None = None
    teacher: Teacher | None = None
    network: TrainedNetwork | None = None
    scaled_each: str = "dimension"
    compared_with: tuple[str, str] | None = None
    for_gpu: bool = False
    tuned_on: tuple[str, ...] = ()
    title: str = ""
    headline: bool = False

    def __post_init__(self):
        by_protocol = [scores for scores in self.published.values() if isinstance(scores, Mapping)]
        for scores in by_protocol or [self.published]:
            for name, values in scores.items():
                if not isinstance(values, tuple | list) or len(values) != 3:
                    raise SertfError(
                        f"published {name} of a variant of {self.model} must be (mean, standard deviation, best), None "
                        f"where not printed, but is {values!r}."
                    )


@dataclass(frozen=True)
class Experiment:
    """A paper's system on a corpus. `sertf.experiment.runner` trains it, `sertf.reports.report` compares it with the paper.

    Attributes:
        name: name of its script and result folder.
        paper: reference to the paper.
        corpus: name in `sertf.corpora.CORPORA`, with a suffix for a single language, such as "esd_en". "table" stands for
            own data: a script reads a CSV with `--data`. "+" joins several corpora, the training corpus first.
        front_end: name in `sertf.features.FEATURES`, or "module:Class" of a custom front end, derived from
            `sertf.features.FrontEnd`.
        front_end_options: keyword arguments of the front end.
        variants: `Variant` by name.
        protocols: `Setting` by name, "paper" and "strict".
        seed: all randomness derives from it.
        others: scores, from 0 to 1, of the other systems in the paper's comparison, by name. They are UARs where the paper
            prints its own UAR and no accuracy, else accuracies. They decide no run.
        merged: emotions that count as another one, by name, such as {"calm": "neutral"}.
        remarks: sentences on what the paper prints, for the report; they decide no run.
        smoke: whether it only tests the command; report and card say so. It decides no run.
    """

    name: str
    paper: str
    corpus: str
    front_end: str
    variants: Mapping[str, Variant]
    protocols: Mapping[str, Setting]
    front_end_options: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    others: Mapping[str, float] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    smoke: bool = False

    def __post_init__(self):
        if "strict" in self.protocols and self.protocols["strict"].scaling == "speaker":
            raise SertfError(
                f'Protocol strict knows no tested speaker; name a protocol with scaling="speaker" {SPEAKER_KNOWN}.'
            )

    @property
    def corpora(self):
        """Names of the corpora, one or more, without the suffix of a single language."""
        return names_of(self.corpus)

    @property
    def tested_corpora(self):
        """Names of the tested corpora. Of several corpora the first is trained on, all others are tested."""
        return self.corpora[1:] or self.corpora

    def variant(self, name):
        """Look a variant up; an unknown name lists the known ones."""
        return _pick(self.variants, "variant", name)

    def setting(self, protocol):
        """Look a protocol's setting up; an unknown name lists the known ones."""
        return _pick(self.protocols, "protocol", protocol)

    def recipe(self, variant, protocol):
        """The recipe of a variant under a protocol, None for a scikit-learn model."""
        recipes = self.variant(variant).recipes
        return None if recipes is None else _pick(recipes, f"protocol with a recipe for {variant}", protocol)

    def self_trains(self, variant, protocol):
        """Whether a variant trains itself on unlabelled clips of tested speakers under a protocol."""
        from sertf.training import trainers

        return self.setting(protocol).scaling == "speaker" and trainers.find(self.variant(variant).model).self_trains

    def declared_leaks(self, variant, protocol):
        """(name, sentence) of each leak outside the folds, for the audit."""
        leaks, setting = [], self.setting(protocol)
        tested = self.corpora if setting.folds.startswith("leave-one-corpus-out") else self.tested_corpora
        if setting.scaling == "corpus":
            leaks.append(("scaling", "features are scaled by statistics of the whole corpus, test rows included"))
        if setting.scaling == "speaker" and setting.enrolment_clips != 0:
            count = "all" if setting.enrolment_clips is None else f"{setting.enrolment_clips}"
            sentence = (
                f"each validation or tested speaker is scaled by {count} of their own unlabelled clips, each training "
                "speaker by all"
            )
            if self.self_trains(variant, protocol):
                sentence += ", and the model trains itself on these clips"
            leaks.append(("speaker known", sentence))
        if setting.tuned_on_test:
            leaks.append(("tuning", "the recipe was chosen by the test parts' scores"))
        elif set(names_of("+".join(self.variant(variant).tuned_on))).intersection(tested):
            leaks.append(("tuning", "the recipe was chosen by validation utterances of speakers who are tested"))
        return leaks

    def published(self, variant, protocol):
        """Scores of the paper by name, to compare with a variant's scores under a protocol."""
        published = self.variant(variant).published
        if any(isinstance(scores, Mapping) for scores in published.values()):
            return published.get(protocol, {})
        return published

    def front_end_options_of(self, variant):
        """Keyword arguments of a variant's front end."""
        return {**self.front_end_options, **self.variant(variant).front_end_options}

    def identity(self, variant, protocol):
        """Everything that decides the runs of one variant under one protocol, as plain values."""
        from sertf.training import trainers

        chosen, setting, recipe = self.variant(variant), self.setting(protocol), self.recipe(variant, protocol)
        identity = {
            "experiment": self.name,
            "variant": variant,
            "protocol": protocol,
            "corpus": self.corpus,
            "front_end": {"name": self.front_end, "options": self.front_end_options_of(variant)},
            "model": trainers.find(chosen.model).described(chosen.options),
            "recipe": recipe and recipe.to_dict(),
            "folds": setting.folds,
            "scaling": setting.scaling,
            "watch_test": setting.watch_test,
            "seed": self.seed,
        }
        if setting.enrolment_clips is not None:
            identity["enrolment_clips"] = setting.enrolment_clips
        if self.self_trains(variant, protocol):
            identity["self_training"] = True
        if chosen.augmentation is not None:
            identity["augmentation"] = chosen.augmentation.to_dict()
        if chosen.teacher is not None:
            identity["teacher"] = chosen.teacher.to_dict()
        if chosen.network is not None:
            identity["network"] = chosen.network.to_dict()
        if chosen.scaled_each != "dimension":
            identity["scaled_each"] = chosen.scaled_each
        if self.merged:
            identity["merged"] = dict(self.merged)
        return identity


def names_of(corpus):
    """Names of the corpora that `Experiment.corpus` joins, without the suffix of a single language."""
    return tuple(dict.fromkeys(name.partition("_")[0] for name in corpus.split("+")))


def digest(values):
    """Short digest of plain values, independent of the order of keys."""
    text = json.dumps(values, sort_keys=True, default=str)
    return files.digest(text.encode(), size=8)


def _pick(choices, kind, name):
    if name not in choices:
        raise SertfError(unknown(kind, name, choices))
    return choices[name]
