//! Any text: what the block reader says of it, the full parser says too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use supercargo::domain::manifest;

fuzz_target!(|text: &str| assert!(manifest::readers_agree(text)));
