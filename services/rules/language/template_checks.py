"""What a title or message may hold: text, values of known names, conditions and short loops."""

from collections.abc import Iterable, Mapping
from typing import Final

from jinja2 import nodes

from services.rules.language.rewritten import ExpressionFault
from services.rules.language.template_environment import ENVIRONMENT
from services.rules.language.template_kinds import ALLOWED, ELEMENTS, LOOP, Kinds, Scope
from services.rules.language.template_places import Words

DEEPEST_LOOP: Final = 2

_TAGS = {
    "assign": "set", "assignblock": "set", "callblock": "call", "filterblock": "filter", "fromimport": "from",
    "scopedevalcontextmodifier": "autoescape", "scope": "autoescape",
}  # fmt: skip


def faults_of(
    tree: nodes.Template, source: str, names: Mapping[str, str], params: Mapping[str, str]
) -> tuple[ExpressionFault, ...]:
    """Return every fault of a parsed template, in which the top-level `names` have the given kinds."""
    kinds = Kinds(Words(ENVIRONMENT, source), params)
    _statements(kinds, tree.body, names, 0)
    return tuple(dict.fromkeys(kinds.faults))


def _statements(kinds: Kinds, body: Iterable[nodes.Node], scope: Scope, loops: int) -> None:
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                kinds.write(part, scope)
        elif isinstance(node, nodes.If):
            kinds.kind(node.test, scope)
            for branch in (node.body, node.elif_, node.else_):
                _statements(kinds, branch, scope, loops)
        elif isinstance(node, nodes.For):
            _for(kinds, node, scope, loops)
        else:
            found = type(node).__name__.lower()
            tag = _TAGS.get(found, found)
            kinds.say(node, tag, f"{{% {tag} %}} is not allowed", ALLOWED)


def _for(kinds: Kinds, node: nodes.For, scope: Scope, loops: int) -> None:
    if loops >= DEEPEST_LOOP or node.recursive or not isinstance(node.target, nodes.Name):
        message = f"a loop has one name, is not recursive, and nests at most {DEEPEST_LOOP} deep"
        kinds.say(node, "for", message, "say less")
        return
    kind = kinds.kind(node.iter, scope)
    if kind is not None and kind not in ELEMENTS:
        kinds.say(node, "for", f"a {kind} is no list to loop over", "such as anchor.sets")
    inside = {**scope, node.target.name: ELEMENTS.get(kind or ""), LOOP: LOOP}
    if node.test is not None:
        kinds.kind(node.test, inside)
    _statements(kinds, node.body, inside, loops + 1)
    _statements(kinds, node.else_, scope, loops)
