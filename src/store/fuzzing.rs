//! A door for the fuzz target and for tests to the readers of checksummed files, which are private otherwise.

use super::codec;
use super::{first_seen, tags};

/// Reads any bytes as each kind of file that a scan leaves, and as what is packed in one whose checksum is right.
///
/// # Panics
/// If what was read is not what is read again after it was written.
pub fn read_file(bytes: &[u8]) {
    tags::read_any(bytes);
    first_seen::read_any(bytes, "r/a");
    let kinds = [*b"SCTAGS\0\x01", *b"SCTAGS\0\x02", *b"SCSEEN\0\x01", *b"SCSEEN\0\x02", *b"SCSEEN\0\x03"];
    for kind in kinds {
        let Ok(file) = codec::seal(kind, 7, &codec::NO_PRINT, bytes) else { continue };
        tags::read_any(&file);
        first_seen::read_any(&file, "r/a");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The seeds of the fuzz target.
    fn seeds() -> Vec<Vec<u8>> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/cache");
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn seeds_are_read() {
        let seeds = seeds();
        for seed in &seeds {
            read_file(seed);
        }
        let is_list = |seed: &&Vec<u8>| {
            let mut rest = seed.as_slice();
            codec::take(&mut rest).is_some_and(|name| name == ["r/a"])
        };
        assert!(seeds.iter().filter(is_list).count() >= 3);
    }

    proptest! {
        #[test]
        fn a_seed_with_a_few_other_bytes_upsets_no_reader(
            seed in 0_usize..100,
            changes in proptest::collection::vec((0_usize..400, any::<u8>()), 0..6),
            cut in 0_usize..400,
        ) {
            let seeds = seeds();
            let mut bytes = seeds[seed % seeds.len()].clone();
            let length = bytes.len().max(1);
            for (place, byte) in changes {
                if let Some(changed) = bytes.get_mut(place % length) {
                    *changed = byte;
                }
            }
            bytes.truncate(cut.max(1));
            read_file(&bytes);
        }
    }
}
