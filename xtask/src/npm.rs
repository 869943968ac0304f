//! `cargo xtask npm`: the npm package, from Rust to `wasm/dist`.
//!
//! Rust -> module -> glue (wasm-bindgen, target `web`: no loader of its own) -> wasm-opt -> tsup,
//! which bundles the glue into each hand-written entry of `wasm/ts`. The command line is a module
//! of its own, which no program loads that imports the package.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use wasm_bindgen_cli_support::Bindgen;

use crate::files::{copy, hash_of, root, run as run_command, unless_done};
use crate::{Result, wasm};

/// A module, and what becomes of it.
struct Module {
    package: &'static str,
    /// Whether it has the default features of its package.
    whole: bool,
    /// The folder in `wasm/` that its glue is written to.
    folder: &'static str,
    /// Its name in that folder.
    file: &'static str,
    /// Where it goes in `wasm/dist`.
    place: &'static str,
    /// The profile of Cargo.toml.
    profile: &'static str,
    /// What `wasm-opt` aims at: speed, or size.
    aim: &'static [&'static str],
    /// What it is to come down to, in bytes.
    aimed_gzipped: usize,
    /// What it must not grow beyond, in bytes: a build that does fails.
    max_gzipped: usize,
}

const MODULES: [Module; 3] = [
    Module {
        package: "reseal-wasm",
        // For pages and workers that only seal and open: no codecs, no manifest, no passphrases.
        whole: false,
        folder: "pkg-slim",
        file: "reseal.wasm",
        place: "slim/reseal.wasm",
        profile: "wasm-small",
        // gzip packs zeros better than the places that would skip them.
        aim: &["-Os", "--skip-pass=memory-packing"],
        aimed_gzipped: 60_000,
        max_gzipped: 134_900,
    },
    Module {
        package: "reseal-wasm",
        whole: true,
        folder: "pkg",
        file: "reseal.wasm",
        place: "reseal.wasm",
        profile: wasm::RELEASE,
        aim: &["-O3"],
        aimed_gzipped: 150_000,
        max_gzipped: 307_000,
    },
    Module {
        package: "reseal-cli-wasm",
        whole: true,
        folder: "pkg-cli",
        file: "reseal-cli.wasm",
        place: "reseal-cli.wasm",
        profile: "wasm-command",
        // No `-Oz`: it makes one function of those that are alike, also of the loops of base64. What is worth
        // to be inlined the compiler has inlined, and a second round finds more, as one does that knows which values
        // reach where (`--gufa`). What is computed twice gzip packs better than the locals that would keep it, and
        // one local that is used again better than one for each use.
        aim: &[
            "-Os",
            "-Os",
            "--gufa",
            "-Os",
            "--skip-pass=inlining-optimizing",
            "--skip-pass=local-cse",
            "--skip-pass=ssa-nomerge",
            "--skip-pass=memory-packing",
        ],
        aimed_gzipped: 400_000,
        max_gzipped: 664_000,
    },
];
/// What holds for our modules, the proposals that rustc uses, then what a release does not need.
const WASM_OPT: &[&str] = &[
    // Nothing lies there: memory begins with the far end of the stack.
    "--low-memory-unused",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    // What has names alike is alike, and lies together: gzip looks back no farther than 32 kB.
    "--reorder-functions-by-name",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// A few of what tsup writes, of each kind.
const OUTPUTS: &[&str] = &[
    "node.mjs",
    "node.cjs",
    "browser.mjs",
    "browser.cjs",
    "workerd.mjs",
    "inline.cjs",
    "jobs.mjs",
    "jobs.cjs",
    "slim/node.mjs",
    "slim/browser.mjs",
    "slim/workerd.mjs",
    "slim/inline.cjs",
    "node.d.ts",
    "node.d.cts",
    "slim/node.d.ts",
    "jobs.d.ts",
    "jobs.d.cts",
    "cli.cjs",
];

/// Builds what changed, and prints the sizes.
pub(crate) fn run() -> Result {
    let home = root().join("wasm");
    build(&home)?;
    bundle(&home)?;
    for module in &MODULES {
        copy(&module.made(&home), &home.join("dist").join(module.place))?;
    }
    // npm packs only what lies in the package's own folder, and no links.
    for paper in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&root().join(paper), &home.join(paper))?;
    }
    MODULES.iter().try_for_each(|module| module.report(&home))
}

/// Builds the full module beside the small ones: to link one keeps a single core busy.
fn build(home: &Path) -> Result {
    let (quick, small): (Vec<_>, Vec<_>) =
        MODULES.iter().partition(|it| it.profile == wasm::RELEASE);
    let each = |modules: &[&Module]| {
        let mut modules = modules.iter();
        let built = modules.try_for_each(|module| module.build(home));
        built.map_err(|error| error.to_string())
    };
    let (quick, small) = std::thread::scope(|scope| {
        let quick = scope.spawn(|| each(&quick));
        let small = each(&small);
        (quick.join(), small)
    });
    quick.map_err(|_| "a build broke off")??;
    Ok(small?)
}

impl Module {
    fn build(&self, home: &Path) -> Result {
        let built = wasm::build(self.package, self.profile, true, self.whole)?;
        let out = home.join(self.folder);
        let made = self.made(home);
        let outputs = [made.clone(), out.join(format!("{}.js", self.name()))];
        let inputs = [
            built.clone(),
            root().join("xtask/src"),
            root().join("Cargo.lock"),
        ];
        let step = format!("npm-glue-{}", self.folder);
        unless_done(&step, hash_of(&inputs)?, &outputs, || {
            glue(&built, &self.name(), &out)?;
            optimize(
                home,
                self.aim,
                &out.join(format!("{}_bg.wasm", self.name())),
                &made,
            )
        })
    }

    /// The name of the glue.
    fn name(&self) -> String {
        self.package.replace('-', "_")
    }

    /// The optimized module.
    fn made(&self, home: &Path) -> PathBuf {
        home.join(self.folder).join(self.file)
    }

    fn report(&self, home: &Path) -> Result {
        let bytes = fs::read(self.made(home))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        let gzipped = encoder.finish()?.len();
        println!(
            "{}: {} bytes, {gzipped} gzipped (aim: {}; at most {})",
            self.place,
            bytes.len(),
            self.aimed_gzipped,
            self.max_gzipped
        );
        if gzipped > self.max_gzipped {
            return Err("the module has grown beyond its limit".into());
        }
        Ok(())
    }
}

fn glue(built: &Path, name: &str, out: &Path) -> Result {
    let _ = fs::remove_dir_all(out);
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(built)
        .out_name(name)
        .typescript(true)
        .web(true)?;
    // Where the module lies is the business of our entries, not of the glue.
    bindgen.omit_default_module_path(true);
    // Names are taken away by `wasm-opt`, which sorts by them.
    bindgen.remove_producers_section(true);
    bindgen
        .generate(out)
        .map_err(|error| format!("wasm-bindgen: {error:?}"))?;
    Ok(())
}

fn optimize(home: &Path, aim: &[&str], from: &Path, module: &Path) -> Result {
    let tool = home.join("node_modules/binaryen/bin/wasm-opt");
    run_command(
        Command::new("node")
            .arg(tool)
            .args(aim)
            .args(WASM_OPT)
            .arg(from)
            .arg("-o")
            .arg(module),
    )?;
    Ok(fs::remove_file(from)?)
}

fn bundle(home: &Path) -> Result {
    let inputs: Vec<PathBuf> = [
        "ts",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
        "tsup.config.ts",
        "tsup.cli.config.ts",
    ]
    .iter()
    .map(|name| home.join(name))
    .chain(MODULES.iter().flat_map(|module| {
        // The module itself stands in the entry `inline`.
        let glue = ["js", "d.ts"].map(|end| format!("{}.{end}", module.name()));
        let [js, types] = glue.map(|name| home.join(module.folder).join(name));
        [js, types, module.made(home)]
    }))
    .collect();
    let outputs: Vec<PathBuf> = OUTPUTS
        .iter()
        .map(|name| home.join("dist").join(name))
        .collect();
    unless_done("npm-bundle", hash_of(&inputs)?, &outputs, || {
        run_command(
            Command::new("npm")
                .current_dir(home)
                .args(["run", "--silent", "build"]),
        )
    })
}
