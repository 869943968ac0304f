"""A keyset that one language writes, another one edits, and a third one reads, in every order.

Python and Node take part with their command, or with their API where a key service holds the key.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import reseal
from cli_support import COMMANDS, ROOT, environment

PROGRAMS: dict[str, list[Any]] = {
    "node": ["node", ROOT / "js-tests/fixtures/keyset-service.mjs"],
    "rust": [
        *("cargo", "run", "--quiet", "--locked", "--package", "reseal-testkit"),
        *("--bin", "keysets", "--"),
    ],
}
ORDERS = list(itertools.permutations(["python", "node", "rust"]))
KINDS = {"kek": "key", "passphrase": "passphrase", "memory": "external"}
# What it does to a keyset, and the canaries to check. Gives a canary of the new key, or JSON.
Party = Callable[..., str]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_written_edited_read(tmp_path: Path, order: list[str], kind: str) -> None:
    file, secret = tmp_path / "keyset.json", tmp_path / "secret"
    secret.write_text(secret_text(kind))
    writer, editor, reader = (party(language, kind, file, secret) for language in order)

    canaries = [writer("create")]
    canaries.append(editor("rotate"))
    shown = json.loads(reader("read", *canaries))

    document = json.loads(file.read_text())
    keys = [
        {name: key[name] for name in ("kid", "use", "state", "label")} for key in document["keys"]
    ]
    assert [(key["state"], key["label"]) for key in keys] == [
        ("decrypt_only", f"by {order[0]}"),
        ("primary", f"by {order[1]}"),
    ]
    assert shown["keys"] == [{"id": key.pop("kid"), **key} for key in keys]
    assert shown["ring"] == document["ring"]
    assert shown["generation"] == document["generation"] == 2
    assert shown["kinds"] == [KINDS[kind]]

    # A reader that checks nothing would have passed.
    secret.write_text(secret_text(kind))
    with pytest.raises((subprocess.CalledProcessError, reseal.ResealError)) as refused:
        reader("read", *canaries)
    assert code_in(refused.value) == ("unknown-key" if kind == "memory" else "kek-mismatch")


def code_in(error: BaseException) -> str:
    """The code of an error, or of the one that a program told last."""
    if isinstance(error, reseal.ResealError):
        return error.code
    assert isinstance(error, subprocess.CalledProcessError)
    found = re.findall(r"\b(kek-mismatch|unknown-key)\b", error.stderr)
    return str(found[-1]) if found else error.stderr


def secret_text(kind: str) -> str:
    match kind:
        case "kek":
            return reseal.Key.generate("kek").export()
        case "memory":
            return reseal.Key.generate("data").export()
        case _:
            return f"a passphrase {os.urandom(8).hex()} é"


def party(language: str, kind: str, file: Path, secret: Path) -> Party:
    if language == "rust":
        return lambda step, *canaries: output(
            [*PROGRAMS["rust"], step, file, kind, secret, *canaries], cwd=ROOT
        )
    if kind != "memory":
        return lambda step, *canaries: command(language, kind, file, secret, step, canaries)
    if language == "python":
        return lambda step, *canaries: asyncio.run(service(file, secret, step, canaries))
    return lambda step, *canaries: output([*PROGRAMS[language], step, file, secret, *canaries])


def output(arguments: list[Any], **options: Any) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    done.check_returncode()
    return str(done.stdout).strip()


def command(
    language: str, kind: str, file: Path, secret: Path, step: str, canaries: tuple[str, ...]
) -> str:
    """The command, with the environment that its user sets."""
    env = environment({"RESEAL_KEYSET": str(file), f"RESEAL_{kind.upper()}_FILE": str(secret)})

    def reseal_command(*arguments: str) -> str:
        return output([*COMMANDS[language], *arguments], env=env)

    if step != "read":
        words = {"create": "init", "rotate": "rotate"}
        reseal_command("keyset", words[step], "--label", f"by {language}")
        return reseal_command("canary", "make")
    for canary in canaries:
        reseal_command("canary", "check", canary)
    reseal_command("keyset", "verify")
    shown = json.loads(reseal_command("keyset", "show", "--json"))
    assert shown["verified"]
    keys = [{name: key[name] for name in ("id", "use", "state", "label")} for key in shown["keys"]]
    return json.dumps({**shown, "keys": keys, "kinds": [kek["kind"] for kek in shown["keks"]]})


async def service(file: Path, secret: Path, step: str, canaries: tuple[str, ...]) -> str:
    """Python's API, with a key service. js-tests/fixtures/keyset-service.mjs is the same."""
    provider = reseal.MemoryKekProvider(reseal.Keyring(primary=secret.read_text()))
    if step == "create":
        keyset = await reseal.Keyset.create_async(provider=provider, reference="keys/app")
    else:
        keyset = await reseal.Keyset.load_async(file.read_text(), providers=[provider])
    if step != "read":
        keyset.rotate("data", label="by python")
        file.write_text(keyset.save())
        return keyset.keyring().canary()
    ring = keyset.keyring()
    assert [ring.check(canary) for canary in canaries] == ["ok"] * len(canaries)
    keyset.verify()
    keys = keyset.keys()
    return json.dumps(
        {
            "ring": keyset.ring_id,
            "generation": keyset.generation,
            "kinds": [kek.kind for kek in keyset.keks()],
            "keys": [
                {"id": key.id, "use": key.use, "state": key.state, "label": key.label}
                for key in keys
            ],
        }
    )
