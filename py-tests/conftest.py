from __future__ import annotations

import pytest
import reseal


@pytest.fixture(scope="session")
def ring() -> reseal.Keyring:
    return reseal.Keyring(primary=reseal.Key.generate("data"), index=reseal.Key.generate("index"))
