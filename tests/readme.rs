//! The README says what the program does: its key table is the table of actions.
#![expect(clippy::print_stdout, reason = "prints the table that it compares, where asked to")]

use std::path::Path;

use supercargo::app::action;

const OPEN: &str = "<!-- keys -->";
const CLOSE: &str = "<!-- /keys -->";

#[test]
fn the_key_table_of_the_readme_is_the_table_of_actions() {
    let table = action::readme_table();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    if std::env::var_os("SUPERCARGO_KEYS").is_some() {
        println!("{table}");
    }
    let readme = std::fs::read_to_string(path).expect("README.md");
    let (_, rest) = readme.split_once(OPEN).expect("README.md has no <!-- keys --> line");
    let (block, _) = rest.split_once(CLOSE).expect("README.md has no <!-- /keys --> line");
    assert_eq!(
        block.trim(),
        table.trim(),
        "the key table of README.md is old; `SUPERCARGO_KEYS=1 cargo test --test readme -- --nocapture` prints the new one"
    );
}
