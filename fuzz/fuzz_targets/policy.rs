#![no_main]

#[path = "../targets/policy.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: &str| target::run(input));
