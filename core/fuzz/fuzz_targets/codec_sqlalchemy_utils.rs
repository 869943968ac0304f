#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| reseal_testkit::fuzz::sqlalchemy_utils(data));
