//! `cargo xtask npm`: the npm package, from Rust to `wasm/dist`.
//!
//! Rust -> module -> glue (wasm-bindgen, target `web`: no loader of its own) -> wasm-opt -> tsup,
//! which bundles the glue into each hand-written entry of `wasm/ts`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use wasm_bindgen_cli_support::Bindgen;

use crate::files::{copy, hash_of, root, run as run_command, unless_done};
use crate::{Result, wasm};

const NAME: &str = "reseal_wasm";
/// What the package promises, in bytes.
const MAX_GZIPPED: usize = 100_000;
/// The proposals that rustc uses, then the optimization, then what a release does not need.
const WASM_OPT: &[&str] = &[
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "-O3",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Builds what changed, and prints the size.
pub(crate) fn run() -> Result {
    let home = root().join("wasm");
    let built = wasm::build("reseal-wasm", true)?;
    let module = home.join("pkg/reseal.wasm");
    let outputs = [module.clone(), home.join(format!("pkg/{NAME}.js"))];
    let inputs = [
        built.clone(),
        root().join("xtask/src"),
        root().join("Cargo.lock"),
    ];
    unless_done("npm-glue", hash_of(&inputs)?, &outputs, || {
        glue(&built, &home.join("pkg"))?;
        optimize(&home, &module)
    })?;
    bundle(&home)?;
    copy(&module, &home.join("dist/reseal.wasm"))?;
    // npm packs only what lies in the package's own folder, and no links.
    for paper in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&root().join(paper), &home.join(paper))?;
    }
    report(&module)
}

fn glue(built: &Path, out: &Path) -> Result {
    let _ = fs::remove_dir_all(out);
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(built)
        .out_name(NAME)
        .typescript(true)
        .web(true)?;
    // Where the module lies is the business of our entries, not of the glue.
    bindgen.omit_default_module_path(true);
    bindgen
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen
        .generate(out)
        .map_err(|error| format!("wasm-bindgen: {error:?}"))?;
    Ok(())
}

fn optimize(home: &Path, module: &Path) -> Result {
    let from = home.join(format!("pkg/{NAME}_bg.wasm"));
    let tool = home.join("node_modules/binaryen/bin/wasm-opt");
    run_command(
        Command::new("node")
            .arg(tool)
            .args(WASM_OPT)
            .arg(&from)
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
    ]
    .iter()
    .map(|name| home.join(name))
    .chain([
        home.join(format!("pkg/{NAME}.js")),
        home.join(format!("pkg/{NAME}.d.ts")),
    ])
    .collect();
    let outputs = [
        "node.mjs",
        "node.cjs",
        "browser.mjs",
        "browser.cjs",
        "node.d.ts",
        "node.d.cts",
    ];
    let outputs = outputs.map(|name| home.join("dist").join(name));
    unless_done("npm-bundle", hash_of(&inputs)?, &outputs, || {
        run_command(
            Command::new("npm")
                .current_dir(home)
                .args(["run", "--silent", "build"]),
        )
    })
}

fn report(module: &Path) -> Result {
    let bytes = fs::read(module)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    let gzipped = encoder.finish()?.len();
    println!(
        "reseal.wasm: {} bytes, {gzipped} gzipped (at most {MAX_GZIPPED})",
        bytes.len()
    );
    if gzipped > MAX_GZIPPED {
        return Err("the module is larger than the package promises".into());
    }
    Ok(())
}
