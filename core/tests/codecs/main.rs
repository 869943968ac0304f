//! The codecs of other systems beyond their vectors, which the runners check in every language.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]

mod census;
mod columns;
mod fernet;
mod freeboard;
mod hedges;
mod lengths;
mod libraries;
mod lookups;
mod manifest;
mod metabase;
mod n8n;
mod rails;
mod sentry;
mod support;
mod typed_columns;
mod unsure;
