//! The accumulated test of the XAES-256-GCM specification: many random messages, one hash.

use reseal::hazmat::{xaes_open, xaes_seal};
use sha3::{
    Shake128,
    digest::{ExtendableOutput, Update, XofReader},
};

/// The hash over `iterations` messages. Every message is opened again as well.
///
/// # Errors
/// A message that does not open to itself.
pub fn xaes(iterations: u32) -> Result<[u8; 32], String> {
    let mut random = Shake128::default().finalize_xof();
    let mut hash = Shake128::default();
    for iteration in 0..iterations {
        let key: [u8; 32] = read(&mut random);
        let nonce: [u8; 24] = read(&mut random);
        let message = read_prefixed(&mut random);
        let aad = read_prefixed(&mut random);
        let sealed = xaes_seal(key, &nonce, &aad, &message).map_err(|e| e.to_string())?;
        if xaes_open(key, &nonce, &aad, &sealed).as_ref() != Ok(&message) {
            return Err(format!("message {iteration} does not open to itself"));
        }
        hash.update(&sealed);
    }
    Ok(read(&mut hash.finalize_xof()))
}

fn read<const N: usize>(stream: &mut impl XofReader) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read(&mut bytes);
    bytes
}

fn read_prefixed(stream: &mut impl XofReader) -> Vec<u8> {
    let [len] = read(stream);
    let mut bytes = vec![0; usize::from(len)];
    stream.read(&mut bytes);
    bytes
}
