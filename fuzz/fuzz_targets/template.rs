#![no_main]

#[path = "../targets/template.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: &str| target::run(input));
