"""An application that reads the tables of Metabase through Reseal, in whatever format the rows are."""

from __future__ import annotations

import sys
from pathlib import Path

import reseal

sys.path.append(str(Path(__file__).resolve().parents[1]))
import guide

guide.read(reseal.Manifest.load())
