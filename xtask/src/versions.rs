//! One version number for crate, npm and pip.

use std::fs;

use crate::files::root;

#[test]
fn every_manifest_has_the_version_of_the_workspace() {
    let npm = fs::read_to_string(root().join("wasm/package.json")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        npm.contains(&format!("\n  \"version\": \"{version}\",\n")),
        "wasm/package.json"
    );

    let lock = fs::read_to_string(root().join("wasm/package-lock.json")).unwrap();
    assert!(
        lock.contains(&format!("\n  \"version\": \"{version}\",\n")),
        "wasm/package-lock.json"
    );

    // pip's comes from python/Cargo.toml, and that from the workspace.
    let pip = fs::read_to_string(root().join("python/pyproject.toml")).unwrap();
    assert!(
        pip.contains("\ndynamic = [\"version\"]\n") && !pip.contains("\nversion ="),
        "python/pyproject.toml"
    );
    let crates = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        crates.contains(&format!(
            "reseal = {{ path = \"core\", version = \"{version}\""
        )),
        "Cargo.toml"
    );
    assert!(
        crates.contains(&format!(
            "reseal-primitives = {{ path = \"core/primitives\", version = \"={version}\""
        )),
        "Cargo.toml"
    );
}
