"""What several tests need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reseal

MODES: list[Any] = ["random", "deterministic", "padded"]
CONTEXT: dict[str, Any] = {"table": "users", "column": "email", "row": 42}


def error_of(step: Callable[[], object]) -> reseal.ResealError:
    """The error that a step raises."""
    with pytest.raises(reseal.ResealError) as caught:
        step()
    return caught.value


def code_of(step: Callable[[], object]) -> str:
    """The code of the error that a step raises."""
    return error_of(step).code
