//! Paths, content stamps and child processes.

use core::hash::{Hash, Hasher};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Runs a command and turns a bad exit into an error that names it.
pub(crate) fn run(command: &mut Command) -> Result {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} failed: {status}").into()),
        Err(error) => Err(format!("{name} did not start: {error}; try `make setup`").into()),
    }
}

/// A hash of the names and contents of files and folders.
pub(crate) fn hash_of(paths: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        hash_into(&mut hasher, path)?;
    }
    Ok(hasher.finish())
}

fn hash_into(hasher: &mut DefaultHasher, path: &Path) -> Result {
    if path.is_dir() {
        let mut inside: Vec<_> = fs::read_dir(path)?
            .map(|e| e.map(|e| e.path()))
            .collect::<core::result::Result<_, _>>()?;
        inside.sort();
        return inside.iter().try_for_each(|path| hash_into(hasher, path));
    }
    path.hash(hasher);
    fs::read(path)
        .map_err(|error| format!("{}: {error}", path.display()))?
        .hash(hasher);
    Ok(())
}

/// Runs `step` unless it already ran on inputs with this hash and its outputs are still there.
pub(crate) fn unless_done(
    name: &str,
    hash: u64,
    outputs: &[PathBuf],
    step: impl FnOnce() -> Result,
) -> Result {
    let stamp = root().join("target/stamps").join(name);
    let hash = format!("{hash:016x}");
    if fs::read_to_string(&stamp).is_ok_and(|old| old == hash)
        && outputs.iter().all(|path| path.exists())
    {
        return Ok(());
    }
    // A step that dies half-way must run again.
    let _ = fs::remove_file(&stamp);
    step()?;
    fs::create_dir_all(root().join("target/stamps"))?;
    Ok(fs::write(stamp, hash)?)
}

/// Copies a file, and creates the folder that it goes to.
pub(crate) fn copy(from: &Path, to: &Path) -> Result {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map_err(|error| format!("{}: {error}", from.display()))?;
    Ok(())
}
