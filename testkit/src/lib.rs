//! The core with its test doors open, for the vector runners of every language; never shipped.
//!
//! Python loads the native library with ctypes, Node and the browser load the WASM module. Both
//! speak through one function: a JSON request in, a JSON answer out. Byte strings are hexadecimal.
//! [`vectors`] runs the files of `spec/vectors/` in Rust.
//!
//! ```
//! let answer = reseal_testkit::ops::call(r#"{"op":"hmac","key":"","message":""}"#);
//! assert!(answer.starts_with(r#"{"out":"b613679a"#));
//! ```

/// The Rust blocks of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub mod accumulated;
pub mod fuzz;
pub mod hex;
pub mod ops;
pub mod vectors;

/// Room for a request of `len` bytes, for callers that cannot pass a pointer of their own.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "an exported C symbol")]
pub extern "C" fn reseal_testkit_alloc(len: usize) -> *mut u8 {
    Vec::leak(vec![0; len]).as_mut_ptr()
}

/// Answers the JSON request of `len` bytes at `request`. The answer is a little-endian `u32`
/// length and as many bytes of JSON. It is never freed: a test process is short.
///
/// # Safety
/// `request` must point to `len` readable bytes.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "an exported C symbol over a raw pointer")]
pub unsafe extern "C" fn reseal_testkit_call(request: *const u8, len: usize) -> *const u8 {
    // SAFETY: the caller keeps the promise above.
    let request = unsafe { core::slice::from_raw_parts(request, len) };
    let answer = ops::call(&String::from_utf8_lossy(request));
    let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
    let framed = [&length.to_le_bytes(), answer.as_bytes()].concat();
    Vec::leak(framed).as_ptr()
}
