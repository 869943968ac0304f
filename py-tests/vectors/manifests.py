"""The vectors of manifests: what each describes, or all that is wrong with it."""

from __future__ import annotations

import dataclasses
from typing import Any

import reseal

try:
    from vectors.systems import same
except ImportError:  # Run by its path.
    from systems import same  # type: ignore[import-not-found, no-redef]


def check(case: dict[str, Any]) -> None:
    try:
        manifest = reseal.Manifest.parse(case["toml"])
    except reseal.ResealError as error:
        found = {"invalid": {"code": error.code, "message": str(error)}}
    else:
        found = {"valid": shown(manifest)}
    same("the case", {"id": case["id"], "toml": case["toml"], **found}, case)


def shown(manifest: reseal.Manifest) -> dict[str, Any]:
    """All that a manifest says."""
    return {
        "codecs": [dataclasses.asdict(codec) for codec in manifest.codecs],
        "columns": [dataclasses.asdict(column) for column in manifest.columns],
        "warnings": [str(warning) for warning in manifest.warnings],
    }
