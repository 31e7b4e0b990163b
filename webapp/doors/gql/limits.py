"""How much one request may ask for: rules beside those of the specification.

One field at the root is the one that matters: else a request with a hundred aliases of `login`
would be a hundred guesses at one look of whatever counts requests in front of us. The others keep
reading a document cheap.
"""

from collections.abc import Collection

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.validation import (
    ASTValidationRule,
    MaxIntrospectionDepthRule,
    NoSchemaIntrospectionCustomRule,
    ValidationRule,
    specified_rules,
)

# The question that tools ask about a schema has about 190.
MAX_TOKENS = 300
MAX_COMMENTS = 50
MAX_ROOT_FIELDS = 1
MAX_ALIASES = 10
# `me { id }` is 2. Questions about the schema have a limit of their own.
MAX_DEPTH = 3
MAX_ERRORS = 5

_INTROSPECTION = ("__schema", "__type")


class Shape:
    """What an operation asks for, fragments included."""

    def __init__(self, rule: ValidationRule) -> None:
        """Measure nothing yet; every fragment is walked through once."""
        self._rule = rule
        self._depths: dict[str, int] = {}

    def root_keys(self, selections: SelectionSetNode, seen: set[str]) -> set[str]:
        """Return the names that the root of the answer would have."""
        found: set[str] = set()
        for node in selections.selections:
            if isinstance(node, FieldNode):
                found.add((node.alias or node.name).value)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._rule.context.get_fragment(node.name.value)
                if fragment and node.name.value not in seen:
                    seen.add(node.name.value)
                    found |= self.root_keys(fragment.selection_set, seen)
            else:
                found |= self.root_keys(node.selection_set, seen)  # type: ignore[attr-defined]
        return found

    def depth(self, selections: SelectionSetNode) -> int:
        """Return how many fields stand in each other, questions about the schema left out."""
        return max(map(self._depth_of, selections.selections), default=0)

    def _depth_of(self, node: object) -> int:
        if isinstance(node, FragmentSpreadNode):
            return self._depth_of_fragment(node.name.value)
        selections: SelectionSetNode | None = node.selection_set  # type: ignore[attr-defined]
        if not isinstance(node, FieldNode):
            return self.depth(selections) if selections else 0
        if node.name.value in _INTROSPECTION:
            return 0
        return 1 + (self.depth(selections) if selections else 0)

    def _depth_of_fragment(self, name: str) -> int:
        if name not in self._depths:
            self._depths[name] = 0  # A circle, which another rule refuses, ends here.
            fragment = self._rule.context.get_fragment(name)
            self._depths[name] = self.depth(fragment.selection_set) if fragment else 0
        return self._depths[name]


class SizeRule(ValidationRule):
    """Refuses operations that ask for more than one thing at once, or too deeply."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_args: object) -> None:
        """Measure one operation."""
        shape = Shape(self)
        if len(shape.root_keys(node.selection_set, set())) > MAX_ROOT_FIELDS:
            self._refuse("Ask for one field at a time: an operation has one at its root.", node)
        if shape.depth(node.selection_set) > MAX_DEPTH:
            self._refuse(f"Fields may stand {MAX_DEPTH} deep.", node)

    def _refuse(self, sentence: str, node: OperationDefinitionNode) -> None:
        self.report_error(GraphQLError(sentence, [node]))


class AliasRule(ValidationRule):
    """Refuses documents with more aliases than anybody has a use for."""

    _count = 0

    def enter_field(self, node: FieldNode, *_args: object) -> None:
        """Count one alias."""
        self._count += node.alias is not None
        if node.alias and self._count == MAX_ALIASES + 1:
            self.report_error(GraphQLError(f"Use at most {MAX_ALIASES} aliases.", [node]))


def size_rules() -> Collection[type[ASTValidationRule]]:
    """Return what is asked first, since it keeps all other rules cheap."""
    return (SizeRule, AliasRule)


def all_other_rules(is_production: bool) -> Collection[type[ASTValidationRule]]:
    """Return the rest; production tells nobody its schema."""
    about_schema = NoSchemaIntrospectionCustomRule if is_production else MaxIntrospectionDepthRule
    return (*specified_rules, about_schema)
