"""What the adapters of frameworks share: a declared field, its codecs by name, and the column they make."""

from reseal._adapters.bound import BoundColumn
from reseal._adapters.codecs import Codecs
from reseal._adapters.declaration import Declaration, Index
from reseal._adapters.errors import placed
from reseal._adapters.manifest import manifest_text
from reseal._adapters.unopened import Unopened
from reseal._adapters.unsealed import Unsealed

__all__ = [
    "BoundColumn",
    "Codecs",
    "Declaration",
    "Index",
    "Unopened",
    "Unsealed",
    "manifest_text",
    "placed",
]
