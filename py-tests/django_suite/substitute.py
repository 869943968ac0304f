"""Imports Django's tests with encrypted fields in the place of Django's."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType, SimpleNamespace
from typing import Any

from django_suite.source import PACKAGE

#: Of each there is an encrypted one.
FIELDS = (
    *("BigIntegerField", "BinaryField", "BooleanField", "CharField", "DateField"),
    *("DateTimeField", "DecimalField", "EmailField", "IntegerField", "JSONField"),
    *("TextField", "URLField", "UUIDField"),
)
#: What a column is that the database computes: fields beside one stay Django's.
COMPUTED = "GeneratedField"
#: Options of fields that stay Django's: these values are the database's, or have to be unique.
OTHERS = {"primary_key", "db_default"}
#: What the encrypted fields are called in the modules of the tests.
HERE = "encrypted_fields"


class Finder(MetaPathFinder):
    """Finds the modules of the tests."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is, with the loader below."""
        if fullname.partition(".")[0] != PACKAGE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = Loader(fullname, spec.origin)
        return spec


class Loader(SourceFileLoader):
    """Compiles a module with the names of encrypted fields in the place of those of Django's."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module that knows the encrypted fields."""
        import reseal.django

        ours = {name: getattr(reseal.django, f"Encrypted{name}") for name in FIELDS}
        vars(module)[HERE] = SimpleNamespace(**ours)
        super().exec_module(module)

    def source_to_code(self, data: Any, path: Any, **options: Any) -> Any:  # type: ignore[override]
        """Return the code of what was read."""
        tree = ast.parse(data, path)
        if not imports_computed(tree):
            tree = ast.fix_missing_locations(Substitute().visit(tree))
        return compile(tree, path, "exec", dont_inherit=True)


class Substitute(ast.NodeTransformer):
    """`models.CharField` becomes `encrypted_fields.CharField`, where that is possible."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Leave a model alone that has a computed column."""
        named = (it.attr for it in ast.walk(node) if isinstance(it, ast.Attribute))
        return node if COMPUTED in named else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Leave a field alone that cannot be encrypted."""
        stays = not OTHERS.isdisjoint(it.arg for it in node.keywords)
        return node if stays else self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Take the encrypted field where Django's is named."""
        if isinstance(node.value, ast.Name) and node.value.id == "models" and node.attr in FIELDS:
            node.value.id = HERE
            return node
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        """Take the encrypted fields where Django's are imported by name."""
        names = [it.name for it in node.names if it.name in FIELDS]
        if node.module != "django.db.models":
            names = []
        return [node, *ast.parse("\n".join(f"{it} = {HERE}.{it}" for it in names)).body]


def imports_computed(tree: ast.Module) -> bool:
    """Whether a module is about computed columns."""
    imports = (it for it in tree.body if isinstance(it, ast.ImportFrom))
    return any(name.name == COMPUTED for it in imports for name in it.names)
