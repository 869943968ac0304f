//! `cargo bench -p reseal --bench codecs`: what each codec takes to open a value in a column, and a column
//! to bring it to an envelope. Rounds of all codecs alternate; a figure is the median of them.
//!
//! Keys are derived once, when a codec is made, and not in these figures: what that takes stands in
//! a table of its own.
//!
//! With `--json FILE` the figures go to a file as well.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark is a program that talks"
)]

use core::hint::black_box;
use data_encoding::BASE64;
use reseal::{
    Column, Context, Key, KeyUse, Keyring, NamedCodec, OsEntropy, Outcome, Timestamp,
    codec::{
        Codec, DjangoCryptography, DjangoKeys, Expect, Fernet, FernetKey, Form, Freeboard,
        FreeboardKey, Fresh, Metabase, MetabaseKey, N8n, N8nDataKey, N8nKeyRow, N8nWrite, Plain,
        Rails, RailsSerializer, Reseal, Sentry, SqlalchemyEngine, SqlalchemyUtils, StoredValue,
    },
};
use std::{env, fs, sync::Arc, time::Instant};

const ROUNDS: usize = 41;
/// Values in a round.
const VALUES: usize = 500;
/// How often a codec is made in a round.
const BUILDS: usize = 3;
const INSTANCE_KEY: &str = "NtGPGCiZ2k80z+aT80EnML2HkVPK/RaW";

struct Row {
    operation: &'static str,
    codec: &'static str,
    ns: f64,
}

/// A codec with its keys, as a program makes it when it starts.
type Make = fn() -> Arc<dyn Codec>;

const CODECS: [(&str, Form, Make); 18] = [
    ("plain", Form::Text, || Arc::new(Plain)),
    ("reseal", Form::Text, || Arc::new(ring())),
    ("fernet", Form::Text, || {
        Arc::new(Fernet::new(vec![FernetKey::parse(&zeros()).unwrap()]).unwrap())
    }),
    ("django-fernet", Form::Text, || {
        Arc::new(Fernet::django(&["a secret"], &["a salt"]).unwrap())
    }),
    ("fernet-fields", Form::Binary, || {
        let key = FernetKey::fields("a secret", Fernet::PREFIX).unwrap();
        Arc::new(Fernet::fields(vec![key]).unwrap())
    }),
    ("django-cryptography", Form::Binary, || {
        Arc::new(DjangoCryptography::new(&["a secret"], &DjangoKeys::default()).unwrap())
    }),
    ("sqlalchemy-utils, AES", Form::Text, || {
        Arc::new(alchemy(SqlalchemyEngine::default()).expect(Expect::Json))
    }),
    ("sqlalchemy-utils, GCM", Form::Text, || {
        Arc::new(alchemy(SqlalchemyEngine::AesGcm))
    }),
    ("sqlalchemy-utils, Fernet", Form::Text, || {
        Arc::new(alchemy(SqlalchemyEngine::Fernet))
    }),
    ("sentry", Form::Text, || {
        Arc::new(Sentry::new([("key", zeros().as_str())], "key").unwrap())
    }),
    ("rails", Form::Text, || {
        Arc::new(rails(RailsSerializer::Json, false))
    }),
    ("rails, deterministic", Form::Text, || {
        Arc::new(rails(RailsSerializer::Json, true))
    }),
    ("rails, MessagePack", Form::Binary, || {
        Arc::new(rails(RailsSerializer::MessagePack, false))
    }),
    ("metabase", Form::Text, || Arc::new(metabase())),
    ("metabase, bytes", Form::Binary, || Arc::new(metabase())),
    ("n8n, CBC", Form::Text, || {
        let codec = N8n::builder().instance_key(INSTANCE_KEY);
        Arc::new(codec.expect(Expect::Json).build().unwrap())
    }),
    ("n8n, GCM", Form::Text, || Arc::new(n8n_rows())),
    ("freeboard", Form::Text, || {
        Arc::new(Freeboard::new(vec![FreeboardKey::parse(&zeros()).unwrap()]).unwrap())
    }),
];

fn main() {
    let rows: Vec<Row> = operations().into_iter().chain(builds()).collect();
    println!("| | codec | per value | per second |\n|---|---|---:|---:|");
    for Row {
        operation,
        codec,
        ns,
    } in &rows
    {
        println!(
            "| {operation} | {codec} | {ns:.0} ns | {rate:.0} |",
            rate = 1e9 / ns
        );
    }
    if let Some(path) = env::args()
        .skip_while(|argument| argument != "--json")
        .nth(1)
    {
        let json: Vec<String> = rows.iter().map(Row::json).collect();
        fs::write(path, format!("[{}]\n", json.join(","))).unwrap();
    }
}

/// A column that writes envelopes, and values of the codec that it reads.
struct Bench {
    codec: &'static str,
    column: Column,
    stored: Vec<StoredValue>,
}

impl Bench {
    fn new(name: &'static str, form: Form, make: Make) -> Self {
        let codec = NamedCodec {
            name: "before".to_owned(),
            codec: make(),
        };
        let before = Column::new(codec.clone()).context(context());
        let stored = (0..VALUES)
            .map(|number| {
                let text = format!(
                    "{{\"user\":\"user-{number}\",\"password\":\"{:x<40}\"}}",
                    ""
                );
                before
                    .seal(
                        text.as_bytes(),
                        &Context::new(),
                        form,
                        &mut fresh(&mut OsEntropy),
                    )
                    .unwrap()
            })
            .collect();
        let column = Column::new(NamedCodec::new("app", ring())).context(context());
        Self {
            codec: name,
            column: column.read(codec).unwrap(),
            stored,
        }
    }

    fn open(&self) {
        for stored in &self.stored {
            black_box(self.column.open(stored.as_stored(), &Context::new())).unwrap();
        }
    }

    fn convert(&self) {
        for stored in &self.stored {
            let stored = Some(stored.as_stored());
            let outcome = self
                .column
                .reseal(stored, &Context::new(), &mut fresh(&mut OsEntropy));
            assert!(matches!(black_box(outcome), Outcome::Resealed { .. }));
        }
    }
}

/// What is measured, over all values.
type Way = fn(&Bench);

fn operations() -> Vec<Row> {
    let benches = CODECS.map(|(name, form, make)| Bench::new(name, form, make));
    let ways: [(&str, Way); 2] = [
        ("open", Bench::open),
        ("convert to an envelope", Bench::convert),
    ];
    let mut rows = Vec::new();
    for (operation, way) in ways {
        let mut times = vec![Vec::new(); benches.len()];
        for _ in 0..=ROUNDS {
            for (bench, times) in benches.iter().zip(&mut times) {
                times.push(time(VALUES, || way(bench)));
            }
        }
        rows.extend(benches.iter().zip(times).map(|(bench, times)| Row {
            operation,
            codec: bench.codec,
            ns: median(&times),
        }));
    }
    rows
}

/// To make a codec from its keys, which derives them.
fn builds() -> Vec<Row> {
    let made = |(codec, _, make): (&'static str, Form, Make)| {
        let build = || {
            for _ in 0..BUILDS {
                drop(black_box(make()));
            }
        };
        let times: Vec<f64> = (0..=ROUNDS / BUILDS).map(|_| time(BUILDS, build)).collect();
        Row {
            operation: "make the codec, once",
            codec,
            ns: median(&times),
        }
    };
    CODECS.into_iter().map(made).collect()
}

fn ring() -> Reseal {
    let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    Reseal::new(Arc::new(Keyring::builder().primary(key).build().unwrap()))
}

fn rails(serializer: RailsSerializer, deterministic: bool) -> Rails {
    let builder = Rails::builder().key_derivation_salt("a salt");
    let builder = if deterministic {
        builder.deterministic_keys(["a key"])
    } else {
        builder.primary_keys(["a key"])
    };
    builder
        .deterministic(deterministic)
        .serializer(serializer)
        .build()
        .unwrap()
}

fn alchemy(engine: SqlalchemyEngine) -> SqlalchemyUtils {
    SqlalchemyUtils::new(&["a key"], engine).unwrap()
}

fn metabase() -> Metabase {
    let key = MetabaseKey::derive("a secret of sixteen characters");
    Metabase::new(vec![key.unwrap()]).unwrap()
}

fn n8n_rows() -> N8n {
    let data_key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let row = N8nKeyRow {
        id: "bEc5AmLGiLrtdybl".to_owned(),
        kind: "data_encryption".to_owned(),
        value: data_key.wrap(INSTANCE_KEY, &mut OsEntropy).unwrap().into(),
        algorithm: Some("aes-256-gcm".to_owned()),
        status: "active".to_owned(),
    };
    let codec = N8n::builder().instance_key(INSTANCE_KEY).rows([row]);
    codec.write(N8nWrite::Prefixed).build().unwrap()
}

fn zeros() -> String {
    BASE64.encode(&[0; 32])
}

fn context() -> Context {
    Context::new().with("table", "users").unwrap()
}

fn fresh(entropy: &mut OsEntropy) -> Fresh<'_> {
    Fresh {
        entropy,
        now: Timestamp::from_unix(1_800_000_000).unwrap(),
    }
}

/// Nanoseconds of one of several steps.
fn time(steps: usize, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(steps).unwrap())
}

/// The first round warms up.
fn median(times: &[f64]) -> f64 {
    let mut times = times[1..].to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

impl Row {
    fn json(&self) -> String {
        let Self {
            operation,
            codec,
            ns,
        } = self;
        format!(r#"{{"operation":"{operation}","codec":"{codec}","ns":{ns:.1}}}"#)
    }
}
