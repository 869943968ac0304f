#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| reseal_testkit::fuzz::fernet_fields(data));
