//! Files that a person names, and standard input: read up to a bound, and refused with what is wrong and what to do.

use std::fs::File;
use std::io::{self, Read};

use crate::problem::{Code, Problem};

/// Nothing that a command reads is larger; a line of `eval batch` may be as long.
const MOST: u64 = 64 << 20;

/// The text of the file `name`, of standard input for `-`; problems are said of `subject`.
///
/// # Errors
/// It cannot be read, is larger than 64 MiB, or is no UTF-8 ([`Code::Usage`]).
pub(super) fn text(name: &str, subject: &str) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let read = if name == "-" {
        io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes)
    } else {
        File::open(name).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
    };
    let usage = |message: &str| Problem::new(Code::Usage, subject, message);
    read.map_err(|error| usage("cannot be read").caused_by(&error))?;
    if bytes.len() as u64 > MOST {
        return Err(
            usage("is larger than 64 MiB").hint("Give a file that holds no more than what is asked for.")
        );
    }
    String::from_utf8(bytes).map_err(|error| usage("is not UTF-8").caused_by(&error))
}
