"""Plain English, as far as it can be counted: a sentence of the docs and of `--help` has at most 25 words."""

import argparse
import re
from pathlib import Path

import pytest

from sertf.cli import COMMANDS

ROOT = Path(__file__).parents[1]
MOST_WORDS = 25
DOCS = [page for page in sorted(ROOT.glob("docs/**/*.md")) if page.name != "results.md"]  # which quotes stored remarks
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *DOCS]


def sentences(text):
    """The sentences of Markdown or plain text, without code, tables, headings, quotations and lists of names.

    A paragraph, a list item and a heading end a sentence, full stop or not. No quotation reaches beyond them.
    """
    text = re.sub(r"```.*?```|<!--.*?-->|^---\n.*?^---$", "\n\n", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(?:\||#|:::|!!!|  sertf |    ).*$", "\n", text, flags=re.MULTILINE)
    paragraphs = re.split(r"\n\s*\n|^\s*(?:[-*+]|\d+[.)])\s", text, flags=re.MULTILINE)
    return [sentence for part in paragraphs for sentence in _of_paragraph(" ".join(part.split())) if sentence]


def _of_paragraph(text):
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]*`|\"[^\"]*\"|\*[^*]+\*(?!\*)", "QUOTED", text)
    text = re.sub(r"(?:[\w/.+()-]+, ){3,}(?:or |and )?[\w/.+()-]+", "NAMES", text)
    return re.split(r"(?<=[.!?])[\"')*]*\s+", text)


def too_long(text):
    return [found for found in sentences(text) if len(re.findall(r"\S*\w\S*", found)) > MOST_WORDS]


def test_words_are_counted_by_sentence():
    assert too_long("word " * 26 + ".") and not too_long("word " * 25 + ". " + "word " * 25 + ".")
    assert not too_long("Use `" + "word " * 30 + "` here.") and not too_long("| " + "word " * 30 + "|")
    assert not too_long("One of " + "name, " * 30 + "or other.")
    assert not too_long("word " * 20 + "\n- " + "word " * 20 + "\n# Heading\n" + "word " * 20)
    assert too_long('5" long\n\n' + "word " * 26 + '\n\n5" wide')
    assert too_long("- " + "word " * 10 + "[" + "word " * 10 + "](address) " + "word " * 10)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_of_the_docs_are_short(page):
    assert too_long(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_sentences_of_help_are_short(name):
    module, parser = COMMANDS[name], argparse.ArgumentParser()
    module.add_options(parser)
    helps = [(action.help or "").replace("; ", ". ") for action in parser._actions]  # an option's help is no sentence
    assert [long for text in (module.__doc__, module.HELP, *helps) for long in too_long(text)] == []
