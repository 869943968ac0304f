//! No nonce twice: in threads, in batches, and with a source that repeats itself.

use crate::common::{Repeating, context, ring};
use reseal::{Entropy, EntropyKind, Mode, OsEntropy, Result, to_binary};
use std::{collections::HashSet, thread};

const NONCE: core::ops::Range<usize> = 26..50;
const SALT: core::ops::Range<usize> = 26..38;

fn part(stored: &str, range: core::ops::Range<usize>) -> Vec<u8> {
    to_binary(stored).unwrap().get(range).unwrap().to_vec()
}

#[test]
fn four_threads_on_one_ring_never_share_a_nonce() {
    let (ring, ctx) = (ring(), context());
    let seal = || -> Vec<String> {
        let single = (0..5000).map(|_| ring.seal(b"x", &ctx, Mode::Random, &mut OsEntropy));
        let batch = ring.seal_many(&vec![b"x"; 5000], &ctx, Mode::Padded, &mut OsEntropy);
        single.chain(batch.unwrap()).map(Result::unwrap).collect()
    };
    let stored: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(seal)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let nonces: HashSet<_> = stored.iter().map(|stored| part(stored, NONCE)).collect();
    assert_eq!(nonces.len(), 4 * 10_000);
    assert!(
        stored
            .iter()
            .all(|stored| *ring.open(stored, &ctx).unwrap() == b"x")
    );
}

#[test]
fn a_repeating_indirect_source_never_repeats_a_nonce_for_different_messages() {
    let (ring, ctx) = (ring(), context());
    let other = ctx.clone().with("row", 1).unwrap();
    let messages: Vec<String> = (0..2000)
        .map(|number| format!("message {number}"))
        .collect();
    let mut nonces = HashSet::new();
    let mut seal = |message: &str, ctx, mode| {
        nonces.insert(part(
            &ring
                .seal(message.as_bytes(), ctx, mode, &mut Repeating)
                .unwrap(),
            NONCE,
        ))
    };
    for message in &messages {
        for mode in [Mode::Random, Mode::Padded] {
            assert!(seal(message, &ctx, mode), "{message}");
            assert!(seal(message, &other, mode), "{message} in another context");
        }
    }
    assert!(
        !seal(&messages[0], &ctx, Mode::Random),
        "the same message gives the same envelope"
    );
    for ctx in [&ctx, &other] {
        for mode in [Mode::Random, Mode::Padded] {
            for stored in ring
                .seal_many(&messages, ctx, mode, &mut Repeating)
                .unwrap()
            {
                assert!(nonces.insert(part(&stored.unwrap(), NONCE)));
            }
        }
    }
}

#[test]
fn a_batch_shares_a_salt_for_at_most_65536_values() {
    let (ring, ctx) = (ring(), context());
    let values = vec![b""; 65_536 + 3];
    let mut entropy = Counted::default();
    let stored = ring
        .seal_many(&values, &ctx, Mode::Random, &mut entropy)
        .unwrap();
    let stored: Vec<String> = stored.into_iter().map(Result::unwrap).collect();
    let salts: Vec<_> = stored.iter().map(|stored| part(stored, SALT)).collect();
    let nonces: HashSet<_> = stored.iter().map(|stored| part(stored, NONCE)).collect();
    assert_eq!(nonces.len(), values.len());
    assert!(salts[..65_536].iter().all(|salt| salt == &salts[0]));
    assert!(salts[65_536..].iter().all(|salt| salt == &salts[65_536]));
    assert_ne!(salts[0], salts[65_536]);
    assert_eq!(entropy.calls, [12 + 12 * 65_536, 12 + 12 * 3]);
}

#[test]
fn a_batch_goes_on_beyond_its_announced_count_and_draws_nothing_for_bad_values() {
    let (ring, ctx) = (ring(), context());
    let too_large = vec![0; reseal::MAX_PLAINTEXT_BYTES + 1];
    let stored = ring.seal_batch(1, Mode::Random, OsEntropy, |batch| {
        let first = batch.seal(b"1", &ctx).unwrap();
        let refused = batch.seal(&too_large, &ctx).unwrap_err();
        assert_eq!(refused.code().as_str(), "too-large");
        let more = (0..3).map(|_| batch.seal(b"2", &ctx).unwrap());
        [vec![first], more.collect()].concat()
    });
    let stored = stored.unwrap();
    let nonces: HashSet<_> = stored.iter().map(|stored| part(stored, NONCE)).collect();
    assert_eq!(nonces.len(), 4);
}

#[test]
fn single_values_draw_24_bytes_and_deterministic_ones_none() {
    let (ring, ctx) = (ring(), context());
    let mut entropy = Counted::default();
    ring.seal(b"x", &ctx, Mode::Random, &mut entropy).unwrap();
    ring.seal(b"x", &ctx, Mode::Padded, &mut entropy).unwrap();
    ring.seal(b"x", &ctx, Mode::Deterministic, &mut entropy)
        .unwrap();
    ring.seal_many(&[b"x"; 9], &ctx, Mode::Deterministic, &mut entropy)
        .unwrap();
    assert_eq!(entropy.calls, [24, 24]);
}

#[test]
fn a_failing_source_fails_the_call() {
    struct Broken;
    impl Entropy for Broken {
        fn kind(&self) -> EntropyKind {
            EntropyKind::Direct
        }
        fn fill(&mut self, _: &mut [u8]) -> Result<()> {
            Err(reseal::Error::new(
                reseal::ErrorCode::RandomUnavailable,
                "broken",
            ))
        }
    }
    let (ring, ctx) = (ring(), context());
    let single = ring
        .seal(b"x", &ctx, Mode::Random, &mut Broken)
        .unwrap_err();
    let batch = ring
        .seal_many(&[b"x"], &ctx, Mode::Random, &mut Broken)
        .unwrap_err();
    assert_eq!(
        [single.code(), batch.code()],
        [reseal::ErrorCode::RandomUnavailable; 2]
    );
}

#[test]
fn a_source_that_fails_later_fails_only_what_it_is_needed_for() {
    struct FailsLater(u32);
    impl Entropy for FailsLater {
        fn kind(&self) -> EntropyKind {
            EntropyKind::Direct
        }
        fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
            self.0 += 1;
            if self.0 > 1 {
                let code = reseal::ErrorCode::RandomUnavailable;
                return Err(reseal::Error::new(code, "broken"));
            }
            OsEntropy.fill(bytes)
        }
    }
    let (ring, ctx) = (ring(), context());
    let values = vec![b""; 65_536 + 2];
    let sealed = ring
        .seal_many(&values, &ctx, Mode::Random, &mut FailsLater(0))
        .unwrap();
    assert!(sealed[..65_536].iter().all(Result::is_ok));
    let code = |item: &Result<String>| item.as_ref().unwrap_err().code();
    assert_eq!(code(&sealed[65_536]), reseal::ErrorCode::RandomUnavailable);
    assert_eq!(code(&sealed[65_537]), reseal::ErrorCode::RandomUnavailable);
}

#[test]
fn the_operating_system_is_a_direct_source() {
    assert_eq!(OsEntropy.kind(), EntropyKind::Direct);
}

/// The operating system's generator, with the size of every call.
#[derive(Default)]
struct Counted {
    calls: Vec<usize>,
}

impl Entropy for Counted {
    fn kind(&self) -> EntropyKind {
        EntropyKind::Direct
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.calls.push(bytes.len());
        OsEntropy.fill(bytes)
    }
}
