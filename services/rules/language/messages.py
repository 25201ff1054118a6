"""Compiles and renders titles and messages: sandboxed Jinja over the rule's names, checked when the rule is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass

import jinja2
from jinja2 import meta, nodes

from services.rules.language import kinds
from services.rules.language.expressions import ExpressionError
from services.rules.language.model import Bound, EvaluationError, Local
from services.rules.language.rewritten import ExpressionFault
from services.rules.language.template_checks import faults_of
from services.rules.language.template_environment import ENVIRONMENT, MOST_CHARACTERS, context_of
from services.rules.language.template_places import place_of_syntax_error

_CLOSE = "a tag is {{ ... }} or {% ... %}, and each {% if %} and {% for %} has its end"


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A checked template, ready to render."""

    source: str
    names: frozenset[str]
    _template: jinja2.Template
    _constant: str | None
    """The text, where it is always the same: as most titles are."""

    def render(self, names: Mapping[str, Bound], local: Local) -> str:
        """Return the text, times in the athlete's zone; raise `EvaluationError` when something it uses is absent."""
        if self._constant is not None:
            return self._constant
        parts: list[str] = []
        length = 0
        try:
            for part in self._template.generate(context_of(names, self.names, local)):
                parts.append(part)
                length += len(part)
                if length > 2 * MOST_CHARACTERS:  # white space, which is still in it, counts half
                    break
        except Exception as error:
            raise EvaluationError(f"{self.source}: {error}") from error
        text = " ".join("".join(parts).split())
        if len(text) > MOST_CHARACTERS or length > 2 * MOST_CHARACTERS:
            raise EvaluationError(f"{self.source}: the text has more than {MOST_CHARACTERS:,} characters")
        return text


def compile_template(source: str, names: Mapping[str, str], params: Mapping[str, str]) -> CompiledTemplate:
    """Compile a title or message in which the top-level `names` have the given kinds.

    Raise `ExpressionError` with every unknown name or field, every wrong kind, and faults of syntax.
    """
    try:
        tree = ENVIRONMENT.parse(source)
        faults = faults_of(tree, source, names, params)
        if faults:
            raise ExpressionError(faults)
        template = ENVIRONMENT.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        place = place_of_syntax_error(ENVIRONMENT, source, error.lineno)
        raise ExpressionError([ExpressionFault(place, str(error.message), _CLOSE)]) from None
    except RecursionError:
        raise ExpressionError([ExpressionFault(0, "the template nests too deep", "say less")]) from None
    return CompiledTemplate(
        source,
        frozenset(meta.find_undeclared_variables(tree) - set(kinds.FUNCTIONS)),
        template,
        _constant(tree),
    )


def _constant(tree: nodes.Template) -> str | None:
    """Return the text of a template without tags, unless it is too long to be shown."""
    parts = [
        part for node in tree.body for part in (node.nodes if isinstance(node, nodes.Output) else [node])
    ]
    texts = [part.data for part in parts if isinstance(part, nodes.TemplateData)]
    whole = "".join(texts)
    return " ".join(whole.split()) if len(texts) == len(parts) and len(whole) <= MOST_CHARACTERS else None
