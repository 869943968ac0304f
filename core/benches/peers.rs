//! `cargo bench -p reseal`: the envelope against plain AES-256-GCM with a cached key and one
//! 24-byte read from the operating system. Both bind 66 bytes of associated data and write or read
//! base64url text. Rounds alternate; what counts is the median of the ratios.
//!
//! With `--json FILE` the figures go to a file as well.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark is a program that talks"
)]

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, aead::consts::U12};
use core::hint::black_box;
use data_encoding::BASE64URL_NOPAD;
use reseal::{
    Context, Expect, Key, KeyUse, Keyring, KeyringBuilder, Keyset, KeysetDocument, Mode, NewKek,
    OsEntropy, Timestamp,
};
use std::{env, fs, time::Instant};

const SIZES: [usize; 6] = [16, 64, 256, 1024, 4096, 65536];
const ROUNDS: usize = 41;
/// Values in a batch.
const BATCH: usize = 1000;
const KEYSET_KEYS: usize = 100;

struct Row {
    what: &'static str,
    bytes: usize,
    ours_ns: f64,
    peer_ns: f64,
    ratio: f64,
}

fn main() {
    let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let ring = Keyring::builder().primary(key).build().unwrap();
    let context = [("table", "users"), ("column", "email"), ("row", "42")];
    let context = context
        .into_iter()
        .try_fold(Context::new(), |ctx, (name, value)| ctx.with(name, value));
    let context = context.unwrap();
    assert_eq!(
        26 + context.as_bytes().len(),
        66,
        "the bytes that both sides bind"
    );
    let gcm = Aes256Gcm::new(&[7; 32].into());

    let mut rows: Vec<Row> = SIZES
        .into_iter()
        .flat_map(|bytes| measure(&ring, &context, &gcm, bytes))
        .collect();
    rows.push(keyset());
    println!("| | bytes | reseal | aes-gcm | ratio |\n|---|---:|---:|---:|---:|");
    for Row {
        what,
        bytes,
        ours_ns,
        peer_ns,
        ratio,
    } in &rows
    {
        println!("| {what} | {bytes} | {ours_ns:.0} ns | {peer_ns:.0} ns | {ratio:.2} |");
    }
    if let Some(path) = env::args()
        .skip_while(|argument| argument != "--json")
        .nth(1)
    {
        let json: Vec<String> = rows.iter().map(Row::json).collect();
        fs::write(path, format!("[{}]\n", json.join(","))).unwrap();
    }
}

fn measure(ring: &Keyring, context: &Context, gcm: &Aes256Gcm, bytes: usize) -> [Row; 4] {
    let plaintext = vec![b'x'; bytes];
    let values = vec![plaintext.clone(); BATCH];
    let stored = ring
        .seal(&plaintext, context, Mode::Random, &mut OsEntropy)
        .unwrap();
    let batch = ring
        .seal_many(&values, context, Mode::Random, &mut OsEntropy)
        .unwrap();
    let batch: Vec<String> = batch.into_iter().map(Result::unwrap).collect();
    let peer_stored = peer_seal(gcm, &plaintext);
    let seal_peer = || drop(black_box(peer_seal(gcm, &plaintext)));
    let open_peer = || drop(black_box(peer_open(gcm, &peer_stored)));
    [
        row("seal", bytes, 1, seal_peer, || {
            black_box(ring.seal(&plaintext, context, Mode::Random, &mut OsEntropy)).unwrap();
        }),
        row("open", bytes, 1, open_peer, || {
            black_box(ring.open(&stored, context)).unwrap();
        }),
        row("seal_many, per value", bytes, BATCH, seal_peer, || {
            black_box(ring.seal_many(&values, context, Mode::Random, &mut OsEntropy)).unwrap();
        }),
        row("open_many, per value", bytes, BATCH, open_peer, || {
            black_box(ring.open_many(&batch, context)).unwrap();
        }),
    ]
}

/// Loads a keyset of 100 keys; the peer builds the same ring from 100 key texts.
fn keyset() -> Row {
    let now = Timestamp::from_unix(0).unwrap();
    let kek = Key::generate(KeyUse::Kek, &mut OsEntropy).unwrap();
    let new = NewKek::key(kek.clone()).unwrap();
    let mut keyset = Keyset::create(new, 0, now, &mut OsEntropy).unwrap();
    for _ in 0..KEYSET_KEYS {
        let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
        keyset.introduce(key, "2026-q4", now).unwrap();
    }
    let text = keyset.save(now, &mut OsEntropy).unwrap();
    let texts = keyset.export_keys();
    let peer = || {
        let texts = texts.iter().map(|(_, text)| Key::parse(text).unwrap());
        let ring = texts.fold(Keyring::builder(), KeyringBuilder::introduced);
        drop(black_box(ring.build().unwrap()));
    };
    row(
        "load a keyset of 100 keys (peer: 100 key texts)",
        text.len(),
        1,
        peer,
        || {
            let document = KeysetDocument::parse(text.as_bytes()).unwrap();
            let keyset = document.unlock(core::slice::from_ref(&kek), &Expect::default());
            drop(black_box(keyset.unwrap().ring().unwrap()));
        },
    )
}

fn peer_seal(gcm: &Aes256Gcm, plaintext: &[u8]) -> String {
    let mut nonce = [0; 24];
    getrandom::fill(&mut nonce).unwrap();
    let mut sealed = nonce.to_vec();
    sealed.extend_from_slice(plaintext);
    let iv = aes_gcm::Nonce::<U12>::try_from(&nonce[12..]).unwrap();
    let tag = gcm
        .encrypt_inout_detached(&iv, &[1; 66], (&mut sealed[24..]).into())
        .unwrap();
    sealed.extend_from_slice(&tag);
    BASE64URL_NOPAD.encode(&sealed)
}

fn peer_open(gcm: &Aes256Gcm, stored: &str) -> Vec<u8> {
    let mut sealed = BASE64URL_NOPAD.decode(stored.as_bytes()).unwrap();
    let iv = aes_gcm::Nonce::<U12>::try_from(&sealed[12..24]).unwrap();
    let (body, tag) = sealed.split_last_chunk_mut::<16>().unwrap();
    gcm.decrypt_inout_detached(&iv, &[1; 66], (&mut body[24..]).into(), &(*tag).into())
        .unwrap();
    sealed.drain(..24);
    sealed.truncate(sealed.len() - 16);
    sealed
}

/// Alternates rounds of both and takes medians; `ours` does `values` values in a call.
fn row(what: &'static str, bytes: usize, values: usize, peer: impl Fn(), ours: impl Fn()) -> Row {
    let budget = match bytes {
        0..=4096 => 4000,
        4097..65536 => 40,
        _ => 400,
    };
    let calls = (budget / values).max(1);
    let (mut our_times, mut peer_times, mut ratios) = (vec![], vec![], vec![]);
    for _ in 0..=ROUNDS {
        let peer_ns = time(budget, &peer);
        let ours_ns = time(calls, &ours) / as_f64(values);
        our_times.push(ours_ns);
        peer_times.push(peer_ns);
        ratios.push(ours_ns / peer_ns);
    }
    // The first round warms up.
    let [ours_ns, peer_ns, ratio] =
        [our_times, peer_times, ratios].map(|times| median(times[1..].to_vec()));
    Row {
        what,
        bytes,
        ours_ns,
        peer_ns,
        ratio,
    }
}

fn time(calls: usize, call: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_secs_f64() * 1e9 / as_f64(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

impl Row {
    fn json(&self) -> String {
        let Self {
            what,
            bytes,
            ours_ns,
            peer_ns,
            ratio,
        } = self;
        format!(
            r#"{{"what":"{what}","bytes":{bytes},"ours_ns":{ours_ns:.1},"peer_ns":{peer_ns:.1},"ratio":{ratio:.3}}}"#
        )
    }
}
