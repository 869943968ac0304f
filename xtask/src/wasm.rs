//! Builds a crate for WASM, with whichever toolchain this machine has.

use core::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::files::{root, run, target_dir};

const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of Cargo.toml for what must be fast.
pub(crate) const RELEASE: &str = "wasm-release";
/// Debian's newest Rust comes as `rustc-web`; its `rustc` is years old.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const MINIMUM_MINOR: u32 = 89;

/// The two ways to get a standard library for WASM.
pub(crate) enum Toolchain {
    /// The target is installed (`rustup target add wasm32-unknown-unknown`).
    Installed,
    /// A compiler with its source, and cargo builds the library. For machines that have Debian's
    /// packages but reach no Rust download server.
    FromSource { rustc: PathBuf, linker: String },
}

impl Toolchain {
    /// The first way that works; `RESEAL_WASM_TOOLCHAIN` (`installed`, `source`) forces one.
    pub(crate) fn detect() -> Result<Self> {
        match std::env::var("RESEAL_WASM_TOOLCHAIN").as_deref() {
            Ok("installed") => return Ok(Self::Installed),
            Ok("source") => return Self::from_source().ok_or_else(|| HELP.into()),
            _ => {}
        }
        let rustc = std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
        if sysroot(&rustc)
            .is_some_and(|path| path.join("lib/rustlib").join(TARGET).join("lib").exists())
        {
            return Ok(Self::Installed);
        }
        Self::from_source().ok_or_else(|| HELP.into())
    }

    fn from_source() -> Option<Self> {
        let rustc = PathBuf::from(DEBIAN_RUSTC);
        let has_source = source_of(&sysroot(&rustc)?).join("library/std").exists();
        if !has_source || minor_version(&rustc)? < MINIMUM_MINOR {
            return None;
        }
        let linker = (16..=40)
            .rev()
            .map(|n| format!("wasm-ld-{n}"))
            .chain(["wasm-ld".to_owned()])
            .find(|name| in_path(name))?;
        Some(Self::FromSource { rustc, linker })
    }
}

const HELP: &str = "no standard library for WASM found. Either `rustup target add wasm32-unknown-unknown`, \
or on Debian `apt-get install --no-install-recommends rustc-web rust-web-src lld-22`";

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed => write!(f, "the installed target {TARGET}"),
            Self::FromSource { rustc, linker } => {
                write!(f, "{} with its source, linker {linker}", rustc.display())
            }
        }
    }
}

/// Builds a package with a profile of Cargo.toml and gives the path of its module. `std` is false for
/// what must not have one, `features` for one without its default features.
pub(crate) fn build(package: &str, profile: &str, std: bool, features: bool) -> Result<PathBuf> {
    let toolchain = Toolchain::detect()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--lib",
        "--package",
        package,
        "--target",
        TARGET,
        "--profile",
        profile,
    ]);
    if !features {
        cargo.arg("--no-default-features");
    }
    // Flags from the environment would replace those of .cargo/config.toml and ours below.
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    let rustc = match &toolchain {
        Toolchain::Installed => {
            std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
        }
        Toolchain::FromSource { rustc, linker } => {
            cargo.arg(if std {
                "-Zbuild-std=std,panic_abort"
            } else {
                "-Zbuild-std=core,alloc"
            });
            cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", rustc);
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            rustc.clone()
        }
    };
    cargo.arg("--config").arg(remapped_paths(&rustc)?);
    run(&mut cargo)?;
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(target_dir().join(TARGET).join(profile).join(file))
}

/// Panic messages carry file names: without this the module would differ from machine to machine,
/// and tell the name of the person who built it. Cargo joins the list to that of its config file.
fn remapped_paths(rustc: &Path) -> Result<String> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let sysroot = sysroot(rustc).ok_or("rustc does not tell its sysroot")?;
    // The name that the library's source has where it is not installed.
    let library = format!(
        "/rustc/{}",
        commit(rustc).ok_or("rustc does not tell its commit")?
    );
    let from_to = [
        (
            cargo_home.ok_or("no home folder: set CARGO_HOME")?,
            "/cargo",
        ),
        (root(), "/reseal"),
        (source_of(&sysroot), library.as_str()),
    ];
    let flags: Vec<_> = from_to
        .iter()
        .map(|(from, to)| format!("'--remap-path-prefix={}={to}'", from.display()))
        .collect();
    Ok(format!("target.{TARGET}.rustflags=[{}]", flags.join(",")))
}

/// The library's source below a sysroot.
fn source_of(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust")
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    print(rustc, &["--print", "sysroot"]).map(PathBuf::from)
}

fn commit(rustc: &Path) -> Option<String> {
    let version = print(rustc, &["--version", "--verbose"])?;
    let hash = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))?;
    Some(hash.to_owned())
}

fn minor_version(rustc: &Path) -> Option<u32> {
    print(rustc, &["--version"])?
        .split('.')
        .nth(1)?
        .parse()
        .ok()
}

fn print(rustc: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new(rustc).args(args).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
