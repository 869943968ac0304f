//! AES-CBC with PKCS #7 padding, under one key whose schedules are made once.

use aes::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit,
    KeyInit, consts::U16,
};
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// Bytes of a block, and of an IV.
pub const BLOCK_BYTES: usize = 16;

macro_rules! cbc {
    ($name:ident, $encrypt:ty, $decrypt:ty) => {
        /// A key for both directions.
        #[derive(Clone)]
        pub struct $name {
            encrypt: $encrypt,
            decrypt: $decrypt,
        }

        impl $name {
            /// Nothing where the key has another length than the cipher's.
            #[must_use]
            pub fn new(key: &[u8]) -> Option<Self> {
                Some(Self {
                    encrypt: <$encrypt>::new_from_slice(key).ok()?,
                    decrypt: <$decrypt>::new_from_slice(key).ok()?,
                })
            }

            /// The ciphertext: one block longer than the plaintext at most.
            #[must_use]
            pub fn encrypt(&self, iv: [u8; BLOCK_BYTES], plaintext: &[u8]) -> Vec<u8> {
                encrypt(&self.encrypt, iv, plaintext)
            }

            /// The plaintext; nothing where the length or the padding is wrong. Verify a MAC before:
            /// what this tells is of no use to an attacker only then.
            #[must_use]
            pub fn decrypt(
                &self,
                iv: [u8; BLOCK_BYTES],
                ciphertext: &[u8],
            ) -> Option<Zeroizing<Vec<u8>>> {
                decrypt(&self.decrypt, iv, ciphertext)
            }

            /// The ciphertext of a plaintext in whole blocks; nothing where it is not.
            #[must_use]
            pub fn encrypt_blocks(
                &self,
                iv: [u8; BLOCK_BYTES],
                padded: Vec<u8>,
            ) -> Option<Vec<u8>> {
                let whole = padded.len().is_multiple_of(BLOCK_BYTES);
                whole.then(|| encrypt_blocks(&self.encrypt, iv, padded))
            }

            /// The plaintext with its padding, whatever that is; nothing where there are no whole blocks.
            #[must_use]
            pub fn decrypt_blocks(
                &self,
                iv: [u8; BLOCK_BYTES],
                ciphertext: &[u8],
            ) -> Option<Zeroizing<Vec<u8>>> {
                decrypt_blocks(&self.decrypt, iv, ciphertext)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

cbc!(Cbc128, aes::Aes128Enc, aes::Aes128Dec);
cbc!(Cbc256, aes::Aes256Enc, aes::Aes256Dec);

fn encrypt<E>(key: &E, iv: [u8; BLOCK_BYTES], plaintext: &[u8]) -> Vec<u8>
where
    E: BlockCipherEncrypt<BlockSize = U16> + Clone,
{
    let padding = BLOCK_BYTES - plaintext.len() % BLOCK_BYTES;
    let mut buffer = Vec::with_capacity(plaintext.len() + padding);
    buffer.extend_from_slice(plaintext);
    buffer.resize(
        plaintext.len() + padding,
        u8::try_from(padding).unwrap_or(0),
    );
    encrypt_blocks(key, iv, buffer)
}

fn encrypt_blocks<E>(key: &E, iv: [u8; BLOCK_BYTES], mut buffer: Vec<u8>) -> Vec<u8>
where
    E: BlockCipherEncrypt<BlockSize = U16> + Clone,
{
    let mut mode = cbc::Encryptor::inner_iv_init(key.clone(), &iv.into());
    for block in buffer.chunks_exact_mut(BLOCK_BYTES) {
        if let Ok(block) = block.try_into() {
            mode.encrypt_block(block);
        }
    }
    buffer
}

fn decrypt<D>(key: &D, iv: [u8; BLOCK_BYTES], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    D: BlockCipherDecrypt<BlockSize = U16> + Clone,
{
    let mut buffer = decrypt_blocks(key, iv, ciphertext)?;
    let padding = usize::from(*buffer.last()?);
    let kept = buffer.len().checked_sub(padding)?;
    let valid = (1..=BLOCK_BYTES).contains(&padding)
        && buffer
            .get(kept..)?
            .iter()
            .all(|byte| usize::from(*byte) == padding);
    if !valid {
        return None;
    }
    buffer.truncate(kept);
    Some(buffer)
}

fn decrypt_blocks<D>(
    key: &D,
    iv: [u8; BLOCK_BYTES],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>>
where
    D: BlockCipherDecrypt<BlockSize = U16> + Clone,
{
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let (blocks, rest) = aes::cipher::Array::slice_as_chunks_mut(&mut buffer);
    if !rest.is_empty() {
        return None;
    }
    cbc::Decryptor::inner_iv_init(key.clone(), &iv.into()).decrypt_blocks(blocks);
    Some(buffer)
}
