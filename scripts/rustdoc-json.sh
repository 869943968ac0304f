#!/bin/sh
# Rustdoc with its unstable options on a stable compiler. The variable is set for it alone: some build
# scripts look at it, and would run again. Called by xtask/src/api.rs.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
