//! What must hold for every value, context and mode.

use crate::common::{context, key, ring};
use proptest::{prelude::*, sample::Index};
use reseal::{
    Context, ErrorCode, Key, KeyUse, Keyring, Mode, OsEntropy, inspect, inspect_binary, to_binary,
    to_text,
};
use std::collections::BTreeMap;

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::Random, Mode::Deterministic, Mode::Padded])
}

fn plaintext() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..400)
}

fn pairs() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let name = "[a-z][a-z0-9_]{0,31}".prop_filter("reserved", |name| !name.starts_with("rs_"));
    prop::collection::btree_map(name, prop::collection::vec(any::<u8>(), 0..60), 0..=16)
}

fn build<'p>(pairs: impl IntoIterator<Item = (&'p String, &'p Vec<u8>)>) -> Context {
    let empty = Context::new();
    pairs.into_iter().fold(empty, |context, (name, value)| {
        context.with(name, value.as_slice()).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_was_sealed_opens(mode in mode(), plaintext in plaintext(), pairs in pairs()) {
        let (ring, ctx) = (ring(), build(&pairs));
        let text = ring.seal(&plaintext, &ctx, mode, &mut OsEntropy).unwrap();
        prop_assert_eq!(&*ring.open(&text, &ctx).unwrap(), &plaintext);
        prop_assert!(ring.is_current(&text, mode).unwrap());
        let binary = ring.seal_binary(&plaintext, &ctx, mode, &mut OsEntropy).unwrap();
        prop_assert_eq!(&*ring.open_binary(&binary, &ctx).unwrap(), &plaintext);
        prop_assert!(ring.is_current_binary(&binary, mode).unwrap());
    }

    #[test]
    fn text_and_binary_are_one_envelope(mode in mode(), plaintext in plaintext()) {
        let (ring, ctx) = (ring(), context());
        let text = ring.seal(&plaintext, &ctx, mode, &mut OsEntropy).unwrap();
        let binary = to_binary(&text).unwrap();
        prop_assert_eq!(to_text(&binary).unwrap(), text.clone());
        prop_assert_eq!(inspect(&text).unwrap(), inspect_binary(&binary).unwrap());
        prop_assert_eq!(&*ring.open_binary(&binary, &ctx).unwrap(), &plaintext);
    }

    #[test]
    fn the_order_of_pairs_does_not_matter(pairs in pairs(), by in any::<Index>(), plaintext in plaintext()) {
        let mut list: Vec<_> = pairs.iter().collect();
        let ctx = build(list.iter().copied());
        if !list.is_empty() {
            let by = by.index(list.len());
            list.rotate_left(by);
        }
        let other = build(list.into_iter().rev());
        prop_assert_eq!(&ctx, &other);
        let ring = ring();
        let stored = ring.seal(&plaintext, &ctx, Mode::Random, &mut OsEntropy).unwrap();
        prop_assert_eq!(&*ring.open(&stored, &other).unwrap(), &plaintext);
    }

    #[test]
    fn a_flipped_bit_is_refused(mode in mode(), plaintext in plaintext(), at in any::<Index>(), bit in 0..8) {
        let (ring, ctx) = (ring(), context());
        let mut binary = ring.seal_binary(&plaintext, &ctx, mode, &mut OsEntropy).unwrap();
        let at = at.index(binary.len());
        binary[at] ^= 1_u8 << bit;
        let code = ring.open_binary(&binary, &ctx).unwrap_err().code();
        let expected: &[ErrorCode] = match at {
            0..4 => &[ErrorCode::NotEnvelope],
            4 => &[ErrorCode::UnsupportedVersion],
            5..25 => &[ErrorCode::UnknownKey],
            25 => &[ErrorCode::UnsupportedMode, ErrorCode::AuthFailed, ErrorCode::Malformed],
            _ => &[ErrorCode::AuthFailed],
        };
        prop_assert!(expected.contains(&code), "{at}: {code:?}");
    }

    #[test]
    fn another_context_is_refused(pairs in pairs(), others in pairs(), mode in mode()) {
        prop_assume!(pairs != others);
        let ring = ring();
        let stored = ring.seal(b"value", &build(&pairs), mode, &mut OsEntropy).unwrap();
        let code = ring.open(&stored, &build(&others)).unwrap_err().code();
        prop_assert_eq!(code, ErrorCode::AuthFailed);
    }

    #[test]
    fn a_cut_or_longer_envelope_is_refused(mode in mode(), plaintext in plaintext(), cut in any::<Index>()) {
        let (ring, ctx) = (ring(), context());
        let text = ring.seal(&plaintext, &ctx, mode, &mut OsEntropy).unwrap();
        let cut = &text[..cut.index(text.len())];
        prop_assert!(ring.open(cut, &ctx).is_err());
        let longer = text.clone() + "A";
        prop_assert!(ring.open(&longer, &ctx).is_err());
        let binary = to_binary(&text).unwrap();
        prop_assert!(ring.open_binary(&binary[..binary.len() - 1], &ctx).is_err());
        prop_assert!(ring.open_binary(&[binary, vec![0]].concat(), &ctx).is_err());
    }

    #[test]
    fn no_input_panics(text in ".*", binary in prop::collection::vec(any::<u8>(), 0..200)) {
        let (ring, ctx) = (ring(), context());
        prop_assert!(ring.open(&text, &ctx).is_err());
        prop_assert!(ring.open_binary(&binary, &ctx).is_err());
        let _ = (inspect(&text), Key::parse(&text), Key::load(&text), Key::load_list(&text));
        for head in ["rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.", "rs2.wnhox5tzdzqv34o4so5ged4ck7arqvma."] {
            let framed = head.to_owned() + &text;
            prop_assert!(ring.open(&framed, &ctx).is_err());
        }
        let framed = [b"\xC1\x5E\x52\x53\x01".as_slice(), &binary].concat();
        prop_assert!(ring.open_binary(&framed, &ctx).is_err());
    }

    #[test]
    fn a_deterministic_value_has_one_envelope(plaintext in plaintext(), pairs in pairs()) {
        let (ring, ctx) = (ring(), build(&pairs));
        let seal = || ring.seal(&plaintext, &ctx, Mode::Deterministic, &mut OsEntropy).unwrap();
        prop_assert_eq!(seal(), seal());
        prop_assert_eq!(ring.lookup_values(&plaintext, &ctx).unwrap(), [seal()]);
    }

    #[test]
    fn batches_give_what_single_calls_open(
        values in prop::collection::vec(plaintext(), 0..40),
        mode in mode(),
    ) {
        let (ring, ctx) = (ring(), context());
        let stored = ring.seal_many(&values, &ctx, mode, &mut OsEntropy).unwrap();
        let stored: Vec<String> = stored.into_iter().map(Result::unwrap).collect();
        for (stored, value) in stored.iter().zip(&values) {
            prop_assert_eq!(&*ring.open(stored, &ctx).unwrap(), value);
        }
        for (opened, value) in ring.open_many(&stored, &ctx).unwrap().into_iter().zip(&values) {
            prop_assert_eq!(&*opened.unwrap(), value);
        }
    }

    #[test]
    fn resealing_keeps_the_value(plaintext in plaintext(), from in mode(), to in mode()) {
        let [old, new] = [(); 2].map(|()| key(KeyUse::Data));
        let ctx = context();
        let before = Keyring::builder().primary(old.clone()).build().unwrap();
        let after = Keyring::builder().primary(new).decrypt_only(old).build().unwrap();
        let stored = before.seal(&plaintext, &ctx, from, &mut OsEntropy).unwrap();
        let resealed = after.reseal(&stored, &ctx, to, &mut OsEntropy).unwrap().unwrap();
        prop_assert!(after.is_current(&resealed, to).unwrap());
        prop_assert_eq!(&*after.open(&resealed, &ctx).unwrap(), &plaintext);
        prop_assert_eq!(before.open(&resealed, &ctx).unwrap_err().code(), ErrorCode::UnknownKey);
        prop_assert_eq!(after.reseal(&resealed, &ctx, to, &mut OsEntropy).unwrap(), None);
    }
}
