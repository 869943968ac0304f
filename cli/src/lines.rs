//! Lines out of standard input, as they come.

use reseal::{Error, ErrorCode, Result, Zeroizing};

use crate::console::Console;
use crate::failure::Outcome;

/// Above what the largest value takes in any form: 2^24 bytes, each escaped in JSON.
const MAX_LINE_BYTES: usize = if cfg!(test) { 1 << 20 } else { 100 << 20 };

/// A line without its end, or why it was skipped.
pub(crate) type Line = Result<Zeroizing<Vec<u8>>>;

/// The lines of standard input. LF and CR LF end one; the last may have no end.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: Zeroizing<Vec<u8>>,
    /// Up to here the buffer was handed out.
    taken: usize,
    /// From `taken` to here there is no line feed.
    searched: usize,
    ended: bool,
    /// The line that is being read is too long already.
    skipping: bool,
}

impl Lines {
    /// The next line. What was said before is written out before it waits for more.
    pub(crate) fn next(&mut self, console: &mut Console<'_>) -> Outcome<Option<Line>> {
        loop {
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            console.flush()?;
            let more = console.host.read_input()?;
            self.feed(&more);
        }
    }

    /// Adds what was read; nothing is the end.
    fn feed(&mut self, more: &[u8]) {
        self.ended = more.is_empty();
        self.searched -= self.taken;
        self.buffer.drain(..core::mem::take(&mut self.taken));
        self.buffer.extend_from_slice(more);
        if !self.skipping && self.searched > MAX_LINE_BYTES {
            self.skipping = true;
        }
        if self.skipping {
            // All that was searched belongs to the long line, and is not needed.
            self.buffer.drain(..core::mem::take(&mut self.searched));
        }
    }

    /// The next line that is there, or the rest at the end.
    fn take(&mut self) -> Option<Line> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            let is_last = self.ended && (self.taken < self.buffer.len() || self.skipping);
            return is_last.then(|| self.line(self.buffer.len(), self.buffer.len()));
        };
        let end = self.searched + at;
        Some(self.line(end, end + 1))
    }

    fn line(&mut self, end: usize, next: usize) -> Line {
        let line = self.buffer.get(self.taken..end).unwrap_or_default();
        let line = Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec());
        self.taken = next;
        self.searched = next;
        if core::mem::take(&mut self.skipping) || line.len() > MAX_LINE_BYTES {
            return Err(Error::new(
                ErrorCode::TooLarge,
                "the line is longer than any value: is it not one value per line?",
            ));
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_LINE_BYTES};

    fn lines_of(pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, &'static str>> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces.iter().chain([&&b""[..]]) {
            lines.feed(piece);
            while let Some(line) = lines.take() {
                found.push(
                    line.map(|line| line.to_vec())
                        .map_err(|e| e.code().as_str()),
                );
            }
        }
        found
    }

    #[test]
    fn lines_end_where_they_end() {
        let expected = |lines: &[&str]| -> Vec<Result<Vec<u8>, &'static str>> {
            lines
                .iter()
                .map(|line| Ok(line.as_bytes().to_vec()))
                .collect()
        };
        for (text, lines) in [
            ("", &[][..]),
            ("\n", &[""]),
            ("a", &["a"]),
            ("a\n", &["a"]),
            ("a\r\nb\n\nc", &["a", "b", "", "c"]),
            ("a\rb\n", &["a\rb"]),
        ] {
            assert_eq!(lines_of(&[text.as_bytes()]), expected(lines), "{text:?}");
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(lines_of(&bytes), expected(lines), "{text:?}, byte by byte");
        }
    }

    #[test]
    fn a_line_without_end_is_skipped_and_its_bytes_are_not_kept() {
        let piece = vec![b'x'; MAX_LINE_BYTES / 2 + 1];
        let mut lines = Lines::default();
        for _ in 0..4 {
            lines.feed(&piece);
            assert!(lines.take().is_none());
            assert!(lines.buffer.len() <= 2 * piece.len());
        }
        lines.feed(b"end\nshort\n");
        assert_eq!(
            lines.take().unwrap().unwrap_err().code().as_str(),
            "too-large"
        );
        assert_eq!(**lines.take().unwrap().unwrap(), *b"short");
        assert!(lines.take().is_none());
    }
}
