"""Extract the features of a corpus, or of your own data, into the cache that training reads.

`sertf run` extracts what the cache lacks. `--model` selects the front end that a model is trained with.
"""

from sertf.cli import shared

HELP = "fill the feature cache"
EXAMPLES = """\
  sertf extract ravdess --data ~/corpora --model reslstm_sa
  sertf extract emodb --data ~/corpora --front-end log_mel
  sertf extract --table mine.csv --model speechnet
"""


def add_options(parser):
    parser.add_argument("corpus", nargs="?", metavar="CORPUS", help="a name that `sertf corpora` lists")
    shared.add_table(parser)
    shared.add_data(parser)
    parser.add_argument("--model", metavar="NAME", help="use the front end that this model is trained with")
    shared.add_extraction(parser)
    shared.add_json(parser)


def run(options):
    from sertf.errors import SertfError
    from sertf.papers.own_data import FRONT_ENDS, front_end_of

    if options.model is None and options.front_end is None:
        raise SertfError(f"Give --front-end ({', '.join(FRONT_ENDS)}), or --model for the front end of a model.")
    name, front_end_options = front_end_of(options.model, options.front_end)
    shared.check_workers(options)
    table = shared.load_table(options)
    from sertf.parallel.environment import import_tensorflow_quietly

    import_tensorflow_quietly()
    from sertf.extraction.cache import FeatureCache
    from sertf.features import FEATURES

    store = FeatureCache(options.cache) if options.cache else FeatureCache()
    front_end = FEATURES[name](**front_end_options)
    features = store.extract(table, front_end, workers=options.workers, skip_bad=options.skip_bad)
    frames, skipped = sum(features.lengths.values()), [*table.attrs["skipped"], *features.skipped]
    if options.json:
        shared.print_json(
            {
                "front_end": name,
                "options": front_end_options,
                "folder": features.folder,
                "utterances": len(features),
                "frames": frames,
                "skipped": [{"file": path, "reason": reason} for path, reason in skipped],
            }
        )
        return
    for path, reason in skipped:
        print(f"skipped {path}: {reason}")
    print(f"{len(features)} utterances, {frames} frames of {name} in {features.folder}")
