//! Two streams in one: what was asked for, and what the server prints while it works.

use std::io::{self, Read};

use super::wire::{self, Packet};

/// The payload of a side-band stream; text goes to `printed` as it comes.
pub(super) struct Sideband<'a, R> {
    stream: R,
    printed: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
    waiting: Vec<u8>,
    at: usize,
}

impl<'a, R: Read> Sideband<'a, R> {
    pub(super) fn new(stream: R, printed: &'a mut dyn FnMut(&[u8]) -> io::Result<()>) -> Self {
        Self { stream, printed, waiting: Vec::new(), at: 0 }
    }

    /// Takes packets until there is payload; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        while self.at >= self.waiting.len() {
            match wire::next(&mut self.stream)? {
                Some(Packet::Data(packet)) => match packet.split_first() {
                    Some((1, _)) => (self.waiting, self.at) = (packet, 1),
                    Some((2, text)) => (self.printed)(text)?,
                    Some((3, text)) => return Err(wire::invalid(String::from_utf8_lossy(text).trim_end())),
                    _ => return Err(wire::invalid("it sent a packet for an unknown stream")),
                },
                Some(Packet::Flush) | None => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl<R: Read> Read for Sideband<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || !self.fill()? {
            return Ok(0);
        }
        let waiting = self.waiting.get(self.at..).unwrap_or_default();
        let count = waiting.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), waiting.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_apart_from_the_payload() {
        let mut bytes = Vec::new();
        for packet in ["\u{1}ab", "\u{2}note\n", "\u{1}c"] {
            wire::put(&mut bytes, packet.as_bytes());
        }
        wire::put_flush(&mut bytes);
        let mut printed = Vec::new();
        let mut sink = |text: &[u8]| -> io::Result<()> {
            printed.extend_from_slice(text);
            Ok(())
        };
        let mut payload = String::new();
        Sideband::new(bytes.as_slice(), &mut sink).read_to_string(&mut payload).unwrap();
        assert_eq!((payload.as_str(), printed.as_slice()), ("abc", &b"note\n"[..]));
    }

    #[test]
    fn the_third_stream_is_an_error() {
        let mut bytes = Vec::new();
        wire::put(&mut bytes, b"\x03out of disk\n");
        let mut sink = |_: &[u8]| Ok(());
        let error = Sideband::new(bytes.as_slice(), &mut sink).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "out of disk");
    }
}
