//! Git's pkt-lines and what is said in them first: the references and capabilities of a remote.
//!
//! Source: git's `Documentation/gitprotocol-common`, `gitprotocol-pack`.

use std::io::{self, Read};

use super::refs::Refs;

/// The largest payload of a packet.
const MAX_PAYLOAD: usize = 65_516;
/// References of a remote are read up to this size: about half a million of them.
const MAX_ADVERTISEMENT: usize = 64 << 20;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet {
    /// A line or a piece of a stream; a last newline is still there.
    Data(Vec<u8>),
    /// The end of a section.
    Flush,
}

/// Adds one packet to `out`; longer payloads than a packet may have are the caller's mistake and are cut.
pub(super) fn put(out: &mut Vec<u8>, payload: &[u8]) {
    let payload = payload.get(..MAX_PAYLOAD).unwrap_or(payload);
    out.extend_from_slice(format!("{:04x}", payload.len() + 4).as_bytes());
    out.extend_from_slice(payload);
}

/// Ends a section in `out`.
pub(super) fn put_flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Reads one packet; `None` at the end of the stream.
///
/// # Errors
/// Those of the stream; `InvalidData` for what is no packet.
pub(super) fn next(stream: &mut impl Read) -> io::Result<Option<Packet>> {
    let mut head = [0; 4];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest)? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(invalid("it ended in the middle of a packet")),
            count => filled += count,
        }
    }
    let digits = std::str::from_utf8(&head).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match length.ok_or_else(|| invalid("it sent something that is no packet"))? {
        0 => Ok(Some(Packet::Flush)),
        length @ 4.. => {
            let mut payload = vec![0; length - 4];
            stream.read_exact(&mut payload).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => invalid("it ended in the middle of a packet"),
                _ => error,
            })?;
            Ok(Some(Packet::Data(payload)))
        }
        // Delimiters of the second version of the protocol, which is never asked for.
        _ => Err(invalid("it sent a packet of another protocol")),
    }
}

/// An error for an answer that makes no sense.
pub(super) fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

/// What a remote says about itself before anything is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Advertised {
    /// Its references.
    pub(super) refs: Refs,
    /// Such as `side-band-64k` or `symref=HEAD:refs/heads/main`.
    capabilities: Vec<String>,
}

impl Advertised {
    /// What a folder has, which has no capabilities.
    pub(super) fn of(refs: Refs) -> Self {
        Self { refs, capabilities: Vec::new() }
    }

    /// Whether the remote can do this.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }

    /// Reads the references up to the flush behind them.
    ///
    /// # Errors
    /// Those of the stream; `InvalidData` for what makes no sense, with the server's words if it refuses.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Self> {
        let mut advertised = Self::default();
        let (mut size, mut is_preface) = (0, false);
        loop {
            let line = match next(stream)? {
                Some(Packet::Data(line)) => line,
                // Over HTTP the name of the service comes first, in a section of its own.
                Some(Packet::Flush) if is_preface => {
                    is_preface = false;
                    continue;
                }
                Some(Packet::Flush) => return advertised.checked(),
                None => return Err(invalid("it ended before all references were listed")),
            };
            size += line.len();
            if size > MAX_ADVERTISEMENT {
                return Err(invalid("it lists more references than can be read"));
            }
            is_preface |= line.starts_with(b"# service=");
            advertised.take(&String::from_utf8_lossy(&line))?;
        }
    }

    /// Takes one line: `HEX NAME`, the first with capabilities behind a NUL.
    fn take(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches('\n');
        if let Some(words) = line.strip_prefix("ERR ") {
            return Err(invalid(words));
        }
        let (reference, capabilities) = line.split_once('\0').unwrap_or((line, ""));
        self.capabilities.extend(capabilities.split_ascii_whitespace().map(str::to_owned));
        if let Some((hex, name)) = reference.split_once(' ')
            && is_hex(hex)
            && name != "capabilities^{}"
        {
            self.refs.all.insert(name.to_owned(), hex.to_owned());
        }
        Ok(())
    }

    fn checked(mut self) -> io::Result<Self> {
        let format = self.capabilities.iter().find_map(|known| known.strip_prefix("object-format="));
        if format.is_some_and(|format| format != "sha1") {
            return Err(invalid("its objects are named by SHA-256, which is not supported"));
        }
        let head = self.capabilities.iter().find_map(|known| known.strip_prefix("symref=HEAD:"));
        self.refs.head = head.map(str::to_owned);
        Ok(self)
    }
}

/// Whether the text is the name of an object.
pub(super) fn is_hex(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef01234567";

    fn lines(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines {
            if line.is_empty() { put_flush(&mut out) } else { put(&mut out, line.as_bytes()) }
        }
        out
    }

    #[test]
    fn references_and_capabilities_are_read_behind_the_service() {
        let first = format!("{HEX} HEAD\0side-band-64k symref=HEAD:refs/heads/main\n");
        let second = format!("{HEX} refs/heads/main\n");
        let bytes = lines(&["# service=git-upload-pack\n", "", &first, &second, ""]);
        let advertised = Advertised::read(&mut bytes.as_slice()).unwrap();
        assert_eq!(advertised.refs.branch("main"), Some(HEX));
        assert_eq!(advertised.refs.head.as_deref(), Some("refs/heads/main"));
        assert!(advertised.can("side-band-64k") && !advertised.can("atomic"));
    }

    #[test]
    fn an_empty_repository_has_no_references() {
        let first = format!("{} capabilities^{{}}\0report-status\n", "0".repeat(40));
        let advertised = Advertised::read(&mut lines(&[&first, ""]).as_slice()).unwrap();
        assert!(advertised.refs.all.is_empty() && advertised.can("report-status"));
    }

    #[test]
    fn the_servers_refusal_is_told_in_its_words() {
        let error = Advertised::read(&mut lines(&["ERR access denied\n"]).as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "access denied");
    }

    #[test]
    fn an_answer_that_is_cut_short_is_an_error() {
        let bytes = lines(&[&format!("{HEX} refs/heads/main\n"), ""]);
        for length in 0..bytes.len() {
            assert!(Advertised::read(&mut bytes.get(..length).unwrap()).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = Advertised::read(&mut bytes.as_slice());
        }

        #[test]
        fn what_was_put_is_read(payload in proptest::collection::vec(any::<u8>(), 1..300)) {
            let mut out = Vec::new();
            put(&mut out, &payload);
            prop_assert_eq!(next(&mut out.as_slice()).unwrap(), Some(Packet::Data(payload)));
        }
    }
}
