//! The credentials of n8n.

mod options;
mod rotation;
mod rows;
mod wild;

use reseal::{
    Context, Result,
    codec::{Codec, N8n, Opened, Stored},
};

fn open(codec: &N8n, stored: &str) -> Result<Opened> {
    codec.open(Stored::Text(stored), &Context::new())
}

fn failure<T: core::fmt::Debug>(result: Result<T>) -> &'static str {
    result.unwrap_err().code().as_str()
}
