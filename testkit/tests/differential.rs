//! Our XAES against the crate `xaes-256-gcm`, an independent implementation.

use proptest::prelude::*;
use reseal::hazmat;
use xaes_256_gcm::{
    Xaes256Gcm,
    aead::{Aead, KeyInit, Payload},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_seal_and_open_the_same_bytes(
        key: [u8; 32],
        nonce: [u8; 24],
        aad in prop::collection::vec(any::<u8>(), 0..300),
        message in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let theirs = Xaes256Gcm::new(&key.into());
        let payload = Payload { msg: &message, aad: &aad };
        let expected = theirs.encrypt(&nonce.into(), payload).unwrap();
        prop_assert_eq!(hazmat::xaes_seal(key, &nonce, &aad, &message).unwrap(), expected.clone());
        prop_assert_eq!(hazmat::xaes_open(key, &nonce, &aad, &expected).unwrap(), message);
    }
}
