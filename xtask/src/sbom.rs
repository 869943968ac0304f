//! `cargo xtask sbom`: a bill of materials per package, `CycloneDX` 1.6.
//!
//! The same crates give the same bytes: no time, no serial number, and no folder of this machine.

use serde_json::{Value, json};

use crate::Result;
use crate::products::{Extent, Id, PRODUCTS, Part, Product, write_or_check};

/// Writes the bills, or checks them.
pub(crate) fn run(check: bool) -> Result {
    for product in &PRODUCTS {
        let mut text = serde_json::to_string_pretty(&bill(product)?)?;
        text.push('\n');
        write_or_check(&product.file("sbom.cdx.json"), &text, check)?;
    }
    Ok(())
}

fn bill(product: &Product) -> Result<Value> {
    let version = env!("CARGO_PKG_VERSION");
    let package = format!("pkg:{}/reseal@{version}", product.kind);
    // The crate `reseal` is the package itself, and no part of it.
    let mut parts = product.parts(Extent::Shipped)?;
    let roots = product.roots();
    let own: Vec<Id> = if product.kind == "cargo" {
        let taken = roots.iter().filter_map(|root| parts.remove(root));
        taken.flat_map(|part| part.needs).collect()
    } else {
        roots
    };
    let components: Vec<_> = parts.iter().map(component).collect();
    let mut dependencies = vec![depends(&package, own.iter())];
    for (id, part) in &parts {
        dependencies.push(depends(&url(id), part.needs.iter()));
    }
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": package,
                "name": "reseal",
                "version": version,
                "purl": package,
                "licenses": [{ "expression": env!("CARGO_PKG_LICENSE") }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn component((id, part): (&Id, &Part)) -> Value {
    let url = url(id);
    // What is none of the registry's has no sum; some name no repository.
    let sums: Vec<_> = part
        .checksum
        .iter()
        .map(|sum| json!({ "alg": "SHA-256", "content": sum }))
        .collect();
    let links: Vec<_> = part
        .repository
        .iter()
        .map(|url| json!({ "type": "vcs", "url": url }))
        .collect();
    json!({
        "type": "library",
        "bom-ref": url,
        "name": id.0,
        "version": id.1,
        "purl": url,
        // Older manifests write a slash for "or".
        "licenses": [{ "expression": part.licence.replace('/', " OR ") }],
        "scope": "required",
        "hashes": sums,
        "externalReferences": links,
    })
}

fn depends<'a>(on: &str, needs: impl Iterator<Item = &'a Id>) -> Value {
    let mut needs: Vec<_> = needs.map(url).collect();
    needs.sort();
    json!({ "ref": on, "dependsOn": needs })
}

fn url((name, version): &Id) -> String {
    // A plus sign has a meaning of its own in a URL.
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}
