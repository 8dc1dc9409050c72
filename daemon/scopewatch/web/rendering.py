"""The page templates in each language, with their filters and functions."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from scopewatch.core.estimation.forecast import NoForecast
from scopewatch.core.phrases import Language, Phrase
from scopewatch.messages.alert_texts import SEVERITIES, WORDING
from scopewatch.messages.summary import summarise, why_silent
from scopewatch.messages.translator import say_phrase
from scopewatch.web import wording
from scopewatch.web.advice import advise
from scopewatch.web.labels import label_of
from scopewatch.web.language import NAMES

HERE = Path(__file__).parent
Templates = Mapping[Language, Environment]


def make_templates(root: str = "", *, shared: bool = False) -> Templates:
    """Return the templates for each language; an undefined name in one is an error.

    Parameters
    ----------
    root
        What the addresses of the pages begin with: `/daemons/scope-1` where they are among others.
    shared
        Whether they are those of the list of all daemons.
    """
    return {language: _environment(language, root, shared=shared) for language in Language}


def _environment(language: Language, root: str, *, shared: bool) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        percent=wording.percent,
        day=wording.day,
        moment=wording.moment,
        well_path=wording.well_path,
        advise=advise,
        iso=datetime.isoformat,
        summary=partial(summarise, language=language),
        label=label_of,
        translated=partial(_translate, language=language),
        silence=partial(_silence, language=language),
        ticked=wording.ticked,
        points=wording.points,
        whole=wording.whole,
    )
    templates.globals.update(
        root=root,
        shared=shared,
        daemon=root.rpartition("/")[2],
        say=partial(_say, language),
        age=partial(wording.age, language=language),
        since=partial(wording.since, language=language),
        language=language.value,
        languages={each.value: name for each, name in NAMES.items()},
        severities=SEVERITIES,
        wording=WORDING,
    )
    return templates


def _say(language: Language, message_id: str, /, **values: object) -> Markup:
    """Translate a message id and fill its fields; without values they stay open."""
    text = wording.translated(message_id, language)
    return text.format(**values) if values else text


def _translate(phrase: Phrase, language: Language) -> Markup:
    return wording.ticked(say_phrase(phrase, language))


def _silence(foreseen: NoForecast, language: Language) -> str:
    return why_silent(foreseen.reason, foreseen.cause, language)
