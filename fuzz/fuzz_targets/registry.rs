#![no_main]

#[path = "../targets/registry.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: &str| target::run(input));
