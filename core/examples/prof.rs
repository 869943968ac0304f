//! Profile.
#![allow(warnings, clippy::all)]
use reseal::*;
fn main() {
    let k = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let r = Keyring::builder().primary(k).build().unwrap();
    let c = Context::new()
        .with("table", "users")
        .unwrap()
        .with("column", "email")
        .unwrap()
        .with("row", 42)
        .unwrap();
    let v = [b'x'; 64];
    let what = std::env::args().nth(1).unwrap();
    let n = 20000;
    let s = r.seal(&v, &c, Mode::Random, &mut OsEntropy).unwrap();
    match what.as_str() {
        "seal" => {
            for _ in 0..n {
                std::hint::black_box(r.seal(&v, &c, Mode::Random, &mut OsEntropy).unwrap());
            }
        }
        "open" => {
            for _ in 0..n {
                std::hint::black_box(r.open(&s, &c).unwrap());
            }
        }
        "many" => {
            let vs = vec![v; 1000];
            for _ in 0..n / 1000 {
                std::hint::black_box(r.seal_many(&vs, &c, Mode::Random, &mut OsEntropy).unwrap());
            }
        }
        _ => {}
    }
}
