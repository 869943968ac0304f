"""Key services: keysets whose key-encrypting key is kept elsewhere."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
import reseal
from support import code_of, error_of

T = TypeVar("T")
RING = reseal.Keyring(primary=reseal.Key.generate("data"))


def run(step: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(step)


class Service:
    """A service of another name, which notes how it was asked."""

    def __init__(self, name: str = "vault-transit", *, broken: bool = False) -> None:
        self.name = name
        self.broken = broken
        self.asked: list[str] = []
        self._memory = reseal.MemoryKekProvider(RING)

    async def unwrap(self, reference: str, blob: bytes, /) -> bytes:
        self.asked.append(f"unwrap {reference}")
        await asyncio.sleep(0)
        if self.broken:
            raise ConnectionError("no route to the service")
        return await self._memory.unwrap(reference, blob)

    async def wrap(self, reference: str, content: bytes, /) -> bytes:
        self.asked.append(f"wrap {reference}")
        await asyncio.sleep(0)
        return await self._memory.wrap(reference, content)


def test_a_keyset_of_a_service() -> None:
    service = Service()
    assert isinstance(service, reseal.KekProvider)
    keyset = run(reseal.Keyset.create_async(provider=service, reference="keys/é", lease_seconds=60))
    key_id = keyset.rotate("data", label="2026-q4")
    (kek,) = keyset.keks()
    assert (kek.kind, kek.provider, kek.reference) == ("external", "vault-transit", "keys/é")
    loaded = run(reseal.Keyset.load_async(keyset.save(), providers=[service]))
    assert (loaded.primary_id, loaded.lease_seconds, loaded.generation) == (key_id, 60, 1)
    assert service.asked == ["wrap keys/é", "unwrap keys/é"]
    again = loaded.save()
    assert run(reseal.Keyset.load_async(again.encode(), providers=[service])).generation == 2


def test_a_service_and_a_key_side_by_side() -> None:
    kek, service, other = reseal.Key.generate("kek"), Service(), Service("kms")
    keyset = reseal.Keyset.create(kek=kek)
    for provider in (service, other):
        kek_id = run(keyset.add_provider_kek(provider, "keys/app"))
        assert kek_id == keyset.keks()[-1].id
    text = keyset.save()
    broken = Service("kms", broken=True)

    def held(**options: Any) -> list[bool]:
        loaded = run(reseal.Keyset.load_async(text, **options))
        return [kek.held for kek in loaded.keks()]

    assert held(providers=[service]) == [False, True, False]
    assert held(providers=[other, service], kek=[kek.export()]) == [True, True, True]
    # One is enough, as with every key-encrypting key.
    assert held(providers=[broken, service]) == [False, True, False]
    assert held(providers=[broken], kek=kek) == [True, False, False]
    assert held(providers=[], kek=kek) == [True, False, False]
    with pytest.raises(ConnectionError):
        held(providers=[broken])
    assert code_of(lambda: held(providers=[Service("azure")])) == "kek-mismatch"
    assert code_of(lambda: held(providers=[])) == "kek-mismatch"


def test_services_that_do_what_they_should_not() -> None:
    class Wrong(Service):
        async def unwrap(self, reference: str, blob: bytes, /) -> bytes:
            answer: bytes = self.answer
            return answer

        answer: Any = bytes(32)

    service = Wrong()
    keyset = run(reseal.Keyset.create_async(provider=service, reference=""))
    text = keyset.save()

    def load() -> object:
        return run(reseal.Keyset.load_async(text, providers=[service]))

    assert code_of(load) == "kek-mismatch"
    service.answer = bytes(31)
    assert code_of(load) == "invalid-key"
    service.answer = None
    assert code_of(load) == "invalid-argument"


@pytest.mark.parametrize("blob", [b"", b"x" * 8193, "text", None])
def test_blobs_that_are_none(blob: Any) -> None:
    class Wrong(Service):
        async def wrap(self, reference: str, content: bytes, /) -> bytes:
            return blob  # type: ignore[no-any-return]

    step = reseal.Keyset.create_async
    assert code_of(lambda: run(step(provider=Wrong(), reference="x"))) == "invalid-argument"


@pytest.mark.parametrize("name", ["", "Vault", "1x", "x" * 33, None, 1])
def test_names_and_references_that_are_none(name: Any) -> None:
    create, good = reseal.Keyset.create_async, Service()
    assert code_of(lambda: run(create(provider=Service(name), reference="x"))) == "invalid-argument"
    for reference in ("x" * 1025, "a\nb", None, 1):
        wrong: Any = reference
        assert code_of(lambda: run(create(provider=good, reference=wrong))) == "invalid-argument"  # noqa: B023


def test_arguments_that_are_none() -> None:
    keyset = run(reseal.Keyset.create_async(provider=Service(), reference="x"))
    text, load, create = keyset.save(), reseal.Keyset.load_async, reseal.Keyset.create_async
    good = Service()
    wrong: Any
    for wrong in (None, 1, Service(), "x", [1], [None]):
        assert code_of(lambda: run(load(text, providers=wrong))) == "invalid-argument"  # noqa: B023
    for wrong in (1, b"x", [1], object()):
        assert code_of(lambda: run(load(text, providers=[], kek=wrong))) == "invalid-argument"  # noqa: B023
    for wrong in (None, 1, "x"):
        step = functools.partial(create, provider=wrong, reference="x")
        assert code_of(lambda: run(step())) == "invalid-argument"  # noqa: B023
        assert code_of(lambda: run(keyset.add_provider_kek(wrong, "x"))) == "invalid-argument"  # noqa: B023
    for methods in ({}, {"wrap": good.wrap}, {"unwrap": good.unwrap}, {"wrap": 1, "unwrap": 2}):
        wrong = SimpleNamespace(name="kms", **methods)
        step = functools.partial(create, provider=wrong, reference="x")
        assert code_of(lambda: run(step())) == "invalid-argument"  # noqa: B023
        assert code_of(lambda: run(load(text, providers=[wrong]))) == "invalid-argument"  # noqa: B023
    for wrong in ("x", 1, reseal.Key.generate("data")):
        assert code_of(lambda: reseal.MemoryKekProvider(wrong)) == "invalid-argument"  # noqa: B023
    for name, reference in (("\ud800", "x"), ("x", "\ud800")):
        step = functools.partial(create, provider=Service(name), reference=reference)
        assert code_of(lambda: run(step())) == "invalid-argument"  # noqa: B023
    error = error_of(lambda: run(load(text, providers=[])))
    assert (error.code, "no key of a key service" in str(error)) == ("kek-mismatch", True)


def test_a_service_is_not_asked_for_what_is_refused_then() -> None:
    service, create = Service(), reseal.Keyset.create_async
    wrong: dict[str, Any]
    for wrong in ({"lease_seconds": -1}, {"lease_seconds": "x"}, {"now": -1}, {"now": "x"}):
        step = functools.partial(create, provider=service, reference="x", **wrong)
        assert code_of(lambda: run(step())) == "invalid-argument"  # noqa: B023
    assert service.asked == []


def test_the_service_for_tests() -> None:
    one, two = reseal.MemoryKekProvider(), reseal.MemoryKekProvider()
    assert isinstance(one, reseal.KekProvider)
    blob = run(one.wrap("keys/a", b"x" * 32))
    assert run(one.unwrap("keys/a", blob)) == b"x" * 32
    assert code_of(lambda: run(one.unwrap("keys/b", blob))) == "auth-failed"
    assert code_of(lambda: run(two.unwrap("keys/a", blob))) == "unknown-key"
