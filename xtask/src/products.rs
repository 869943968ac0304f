//! What is published, and which crates are inside: the facts for licences and bills of materials.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::files::root;

/// One of the three packages.
pub(crate) struct Product {
    /// Its kind, as in a package URL.
    pub(crate) kind: &'static str,
    /// Where its manifest lies.
    pub(crate) folder: &'static str,
    /// Its crates in this workspace.
    crates: &'static [&'static str],
    /// What it is built for.
    targets: &'static [&'static str],
    /// Whether it carries compiled code of others, whose licences want their text to go along.
    pub(crate) compiled: bool,
}

pub(crate) const PRODUCTS: [Product; 3] = [
    Product {
        kind: "cargo",
        folder: "core",
        crates: &["reseal"],
        targets: &["all"],
        compiled: false,
    },
    Product {
        kind: "npm",
        folder: "wasm",
        crates: &["reseal-wasm", "reseal-cli-wasm"],
        targets: &["wasm32-unknown-unknown"],
        compiled: true,
    },
    Product {
        kind: "pypi",
        folder: "python",
        crates: &["reseal-python"],
        targets: &[
            "x86_64-unknown-linux-gnu",
            "x86_64-unknown-linux-musl",
            "aarch64-unknown-linux-gnu",
            "aarch64-unknown-linux-musl",
            "aarch64-apple-darwin",
            "x86_64-apple-darwin",
            "x86_64-pc-windows-msvc",
        ],
        compiled: true,
    },
];

/// Name and version of a crate.
pub(crate) type Id = (String, String);

/// A crate that a product is made of, and the crates that it uses itself.
pub(crate) struct Part {
    pub(crate) licence: String,
    pub(crate) repository: Option<String>,
    /// Its source on this machine.
    pub(crate) source: PathBuf,
    /// SHA-256 of what the registry serves; none for our own.
    pub(crate) checksum: Option<String>,
    pub(crate) needs: BTreeSet<Id>,
}

/// Which dependencies count.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    /// What ends up in the package.
    Shipped,
    /// And what only its build runs: macros and build scripts.
    Built,
}

impl Product {
    /// Its crates, our own among them.
    pub(crate) fn parts(&self, extent: Extent) -> Result<BTreeMap<Id, Part>> {
        let facts = metadata()?;
        let mut parts = BTreeMap::new();
        for package in self.crates {
            let tree = self.tree(package, extent)?;
            let mut above: Vec<Id> = Vec::new();
            // A tree per target, with nothing between but an empty line.
            for line in tree.lines().filter(|line| !line.is_empty()) {
                let (depth, id) = parse(line).ok_or_else(|| format!("cargo tree: {line}"))?;
                above.truncate(depth);
                if let Some(user) = above.last().and_then(|user| parts.get_mut(user)) {
                    let user: &mut Part = user;
                    user.needs.insert(id.clone());
                }
                if !parts.contains_key(&id) {
                    let part = part(&facts, &id)?;
                    parts.insert(id.clone(), part);
                }
                above.push(id);
            }
        }
        Ok(parts)
    }

    /// The crates of the workspace that it is made from.
    pub(crate) fn roots(&self) -> Vec<Id> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.crates
            .iter()
            .map(|name| ((*name).to_owned(), version.clone()))
            .collect()
    }

    /// Where one of its files lies.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        root().join(self.folder).join(name)
    }

    fn tree(&self, package: &str, extent: Extent) -> Result<String> {
        let mut cargo = cargo();
        cargo.args(["tree", "--locked", "--all-features", "--package", package]);
        cargo.args(["--prefix", "depth", "--format", " {p}", "--edges"]);
        cargo.arg(match extent {
            Extent::Shipped => "normal,no-proc-macro",
            Extent::Built => "normal,build",
        });
        for target in self.targets {
            cargo.args(["--target", target]);
        }
        output(&mut cargo)
    }
}

/// Writes a file of a product, or says that the one in the repository is another.
pub(crate) fn write_or_check(path: &Path, text: &str, check: bool) -> Result {
    if !check {
        return Ok(fs::write(path, text)?);
    }
    let old = fs::read_to_string(path).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    Err(format!(
        "{} is not what its step would write: run `make fix`, and look at what changed",
        path.display()
    )
    .into())
}

pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// `2 toml v1.2.0 (*)`: depth, name and version.
fn parse(line: &str) -> Option<(usize, Id)> {
    let (depth, rest) = line.split_once(' ')?;
    let mut words = rest.split(' ');
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some((depth.parse().ok()?, (name, version)))
}

struct Facts {
    packages: BTreeMap<Id, Value>,
    checksums: BTreeMap<Id, String>,
}

fn metadata() -> Result<Facts> {
    let mut cargo = cargo();
    cargo.args(["metadata", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&output(&mut cargo)?)?;
    let listed = metadata.get("packages").and_then(Value::as_array);
    let packages = listed
        .ok_or("cargo metadata lists no packages")?
        .iter()
        .filter_map(|package| {
            let id = (text(package, "name")?, text(package, "version")?);
            Some((id, package.clone()))
        })
        .collect();
    Ok(Facts {
        packages,
        checksums: checksums(&fs::read_to_string(root().join("Cargo.lock"))?),
    })
}

/// The only sums there are stand in the lockfile.
fn checksums(lock: &str) -> BTreeMap<Id, String> {
    let value = |entry: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = entry.lines().find_map(|line| line.strip_prefix(&start))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|entry| {
            let id = (value(entry, "name")?, value(entry, "version")?);
            Some((id, value(entry, "checksum")?))
        })
        .collect()
}

fn part(facts: &Facts, id: &Id) -> Result<Part> {
    let package = facts
        .packages
        .get(id)
        .ok_or_else(|| format!("cargo metadata does not know {} {}", id.0, id.1))?;
    let manifest = PathBuf::from(text(package, "manifest_path").unwrap_or_default());
    Ok(Part {
        licence: text(package, "license").ok_or_else(|| format!("{} names no licence", id.0))?,
        repository: text(package, "repository"),
        source: manifest.parent().map(Path::to_owned).unwrap_or_default(),
        checksum: facts.checksums.get(id).cloned(),
        needs: BTreeSet::new(),
    })
}

fn text(package: &Value, name: &str) -> Option<String> {
    package.get(name)?.as_str().map(str::to_owned)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
