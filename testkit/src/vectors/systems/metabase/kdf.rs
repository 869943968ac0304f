//! The key that Metabase derives. The derived bytes stay inside, so what they seal is taken apart.

use super::{
    super::super::{Outcome, same},
    super::{
        case::{hex, object, text},
        codecs::{place, refused, told, written},
    },
    derive,
};
use aes::cipher::{Block, BlockCipherDecrypt as _, KeyInit as _};
use hmac::{Hmac, Mac as _};
use reseal::{
    Context,
    codec::{Codec as _, Form, Metabase},
};
use serde_json::Value;
use sha2::Sha512;

/// Metabase refuses shorter secrets.
const MIN_CHARS: usize = 16;
const IV: [u8; 16] = [0x5A; 16];

pub(super) fn check(case: &Value) -> Outcome {
    let key = derive(case)?;
    let keys = object(case, "keys")?;
    if text(keys, "secret_key")?.chars().count() < MIN_CHARS {
        return refused(key, &["invalid-key"]).map(drop);
    }
    let codec = Metabase::new(vec![key.map_err(told)?]).map_err(told)?;
    let context = Context::new();
    let sealed = written(IV.to_vec(), 1, |fresh| {
        codec.seal(b"x", &place(&context, Form::Binary), fresh)
    })?;
    same_key(&hex(keys, "kek_hex")?, sealed.as_stored().as_bytes())
}

/// A value of one block: IV, block, and the MAC of both. The first half of the key is for the MAC.
fn same_key(derived: &[u8], sealed: &[u8]) -> Outcome {
    let halves = derived.split_at_checked(32);
    let (mac_key, block_key) = halves.ok_or("kek_hex is too short")?;
    let (signed, tag) = sealed
        .split_last_chunk::<32>()
        .ok_or("the value is too short")?;
    let mac = Hmac::<Sha512>::new_from_slice(mac_key);
    let mac = mac.map_err(|error| error.to_string())?.chain_update(signed);
    let is_signed = mac.verify_truncated_left(tag).is_ok();
    same("the half of the key for the MAC", &is_signed, &true)?;

    let cipher = aes::Aes256Dec::new_from_slice(block_key);
    let cipher = cipher.map_err(|error| error.to_string())?;
    let ciphertext = signed.get(16..).unwrap_or_default();
    let block = Block::<aes::Aes256Dec>::try_from(ciphertext);
    let mut block = block.map_err(|error| error.to_string())?;
    cipher.decrypt_block(&mut block);
    let plaintext: Vec<u8> = block.iter().zip(IV).map(|(byte, iv)| byte ^ iv).collect();
    let padded = [&b"x"[..], &[15; 15]].concat();
    same("the half of the key for the cipher", &plaintext, &padded)
}
