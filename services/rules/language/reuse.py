"""What of some files was read and compiled before, so that files which repeat them share its rules as they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.rules.language.documents import Document, read
from services.rules.language.faults import Fault
from services.rules.language.layers import Layered, drafts
from services.rules.language.model import Rule, RuleSet
from services.rules.language.rules import Draft, compile_rule


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The text of a rule file. Files of a higher `layer` replace rules, and lay params over rules, of lower ones."""

    path: str
    text: str
    layer: int


@dataclass(frozen=True, slots=True)
class Before:
    """Right files as they were read, what they say of each rule, and the rule that this became."""

    documents: Mapping[tuple[str, str], Document] = field(default_factory=dict)
    drafts: Mapping[str, Draft] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def read(self, file: SourceFile) -> Document:
        """Return the file's values and places; raise `RuleFileError` with all that is wrong with it as YAML."""
        return self.documents.get((file.path, file.text)) or read(file.path, file.text)

    def compile(self, draft: Draft, faults: list[Fault]) -> Rule | None:
        """Return the draft's rule: the one from before, if the very same was said of it then."""
        # A draft is all that a rule is made of: its text, citations, the bound on a day, what lies over its params.
        if self.drafts.get(draft.id) == draft:
            return self.rules[draft.id]
        return compile_rule(draft, faults)


def read_before(files: Iterable[SourceFile], rule_set: RuleSet) -> Before:
    """Return the files of which `rule_set` was made, to be shared with files that are laid over them."""
    layered = [(file, Layered(read(file.path, file.text), file.layer)) for file in files]
    return Before(
        {(file.path, file.text): each.document for file, each in layered},
        drafts([each for _, each in layered], []),
        {rule.id: rule for rule in rule_set.rules},
    )
