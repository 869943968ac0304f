#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| reseal_testkit::fuzz::django_fernet(data));
