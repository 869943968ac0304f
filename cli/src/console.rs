//! What a command says: results to standard output, all else to standard error, as text or JSON.

use core::fmt::{Display, Write as _};

use reseal::{Error, Zeroizing};
use serde::Serialize;

use crate::failure::{Failure, Outcome, exit, exit_code};
use crate::host::{Host, Stream};
use crate::words::of_command;

/// Results are written in pieces of about this size.
const PIECE_BYTES: usize = 32 * 1024;

/// The host, and what is said to it.
pub(crate) struct Console<'h> {
    /// The host itself, for all that is no output.
    pub(crate) host: &'h mut dyn Host,
    json: bool,
    /// Whether a program called, which knows the names of the library.
    is_call: bool,
    pending: Zeroizing<Vec<u8>>,
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    error: ErrorLine<'a>,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    code: &'a str,
    message: &'a str,
    exit: u8,
}

#[derive(Serialize)]
struct WarningReport<'a> {
    warning: &'a str,
}

impl<'h> Console<'h> {
    pub(crate) fn new(host: &'h mut dyn Host, json: bool) -> Self {
        Self {
            host,
            json,
            is_call: false,
            pending: Zeroizing::new(Vec::new()),
        }
    }

    /// From now on results are JSON.
    pub(crate) fn speak_json(&mut self) {
        self.json = true;
    }

    /// From now on a program listens, which gets JSON and the words of the library.
    pub(crate) fn speak_to_program(&mut self) {
        self.json = true;
        self.is_call = true;
    }

    fn words(&self, message: &str) -> String {
        if self.is_call {
            return message.to_owned();
        }
        of_command(message)
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A result: one JSON document on a line, or its text.
    pub(crate) fn report<T: Serialize + Display>(&mut self, report: &T) -> Outcome {
        if self.json {
            return self.json_line(report);
        }
        let text = Zeroizing::new(report.to_string());
        self.text_line(&text)
    }

    /// One line of text.
    pub(crate) fn text_line(&mut self, text: &str) -> Outcome {
        self.append(text.as_bytes())?;
        self.append(b"\n")
    }

    /// One JSON document on a line.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Outcome {
        let text = to_json(value);
        self.text_line(&text)
    }

    /// Text as it is.
    pub(crate) fn raw(&mut self, text: &[u8]) -> Outcome {
        self.append(text)
    }

    /// What may help a person; programs that read JSON do without.
    pub(crate) fn hint(&mut self, text: &str) -> Outcome {
        if self.json {
            return Ok(());
        }
        self.say(&format!("hint: {text}\n"))
    }

    /// What a person should know; programs that read JSON find it in the report.
    pub(crate) fn note(&mut self, text: &str) -> Outcome {
        if self.json {
            return Ok(());
        }
        self.say(&format!("{text}\n"))
    }

    /// What happens meanwhile: a JSON document on a line of standard error.
    pub(crate) fn event(&mut self, event: &impl Serialize) -> Outcome {
        let line = to_json(event).to_string() + "\n";
        self.say(&line)
    }

    /// Whether a person watches a terminal on which a line can take the place of another.
    pub(crate) fn has_status(&mut self) -> bool {
        let is_dumb = |it: Zeroizing<String>| *it == "dumb";
        let host = &mut self.host;
        !self.json
            && host.is_terminal(Stream::Errors)
            && !host.variable("TERM").is_some_and(is_dumb)
    }

    /// The line at the end of a terminal, which the next one takes the place of.
    pub(crate) fn status(&mut self, text: &str) -> Outcome {
        self.flush()?;
        let text = harmless(&without_keys(text));
        let line = format!("\r{}\u{1b}[K", text.as_str());
        Ok(self.host.write(Stream::Errors, line.as_bytes())?)
    }

    /// What should be mended, though the command goes on.
    pub(crate) fn warning(&mut self, text: &str) -> Outcome {
        self.flush()?;
        self.write_warning(text)
    }

    fn write_warning(&mut self, text: &str) -> Outcome {
        let line = if self.json {
            to_json(&WarningReport { warning: text }).to_string() + "\n"
        } else {
            format!("warning: {text}\n")
        };
        self.write_error(&line)
    }

    /// One value of several that was refused; the command goes on.
    pub(crate) fn refused(&mut self, number: usize, error: &Error) -> Outcome {
        let code = error.code().as_str();
        self.say(&format!("error: value {number}: {error} [{code}]\n"))
    }

    /// Says how the command ended, and gives the exit code.
    pub(crate) fn finish(&mut self, outcome: Outcome) -> u8 {
        let ended = outcome.and_then(|()| self.flush());
        let Err(failure) = ended else {
            return exit::DONE;
        };
        match self.explain(&failure) {
            Ok(code) => code,
            Err(Failure::Stopped) => exit::INTERRUPTED,
            Err(_) => exit::IO,
        }
    }

    /// Writes out what waits, and before it what the host has to say.
    pub(crate) fn flush(&mut self) -> Outcome {
        for warning in self.host.take_warnings() {
            self.write_warning(&warning)?;
        }
        if !self.pending.is_empty() {
            let pending = core::mem::take(&mut self.pending);
            self.host.write(Stream::Output, &pending)?;
        }
        Ok(())
    }

    fn explain(&mut self, failure: &Failure) -> Outcome<u8> {
        match failure {
            Failure::Error(error) => {
                let (code, exit) = (error.code(), exit_code(error.code()));
                self.error(code.as_str(), &self.words(error.message()), exit)
            }
            Failure::Refused(error) => {
                let message = self.words(error.message());
                self.error(error.code().as_str(), &message, exit::REFUSED)
            }
            Failure::Given(error) => {
                let message = self.words(error.message());
                self.error(error.code().as_str(), &message, exit::USAGE)
            }
            Failure::Usage(message) => self.error("usage", message, exit::USAGE),
            Failure::Stream(message) => {
                self.pending.clear();
                self.error("stream", message, exit::IO)
            }
            Failure::Exit(code) => self.flush().map(|()| *code),
            Failure::Stopped => Err(Failure::Stopped),
        }
    }

    fn error(&mut self, code: &str, message: &str, exit: u8) -> Outcome<u8> {
        let line = if self.json {
            let error = ErrorLine {
                code,
                message,
                exit,
            };
            to_json(&ErrorReport { error }).to_string() + "\n"
        } else {
            format!("error: {message} [{code}]\n")
        };
        self.say(&line)?;
        Ok(exit)
    }

    /// What was said before comes out before.
    pub(crate) fn say(&mut self, text: &str) -> Outcome {
        self.flush()?;
        self.write_error(text)
    }

    /// Whatever a path or a word of the caller brought into a message, no key gets out here.
    fn write_error(&mut self, text: &str) -> Outcome {
        let text = harmless(&without_keys(text));
        Ok(self.host.write(Stream::Errors, text.as_bytes())?)
    }

    fn append(&mut self, bytes: &[u8]) -> Outcome {
        if self.pending.len() + bytes.len() > PIECE_BYTES {
            self.flush()?;
        }
        if bytes.len() > PIECE_BYTES {
            return Ok(self.host.write(Stream::Output, bytes)?);
        }
        if self.pending.capacity() == 0 {
            // Once for all, so that no copy of a secret is left behind by growing.
            self.pending.reserve_exact(PIECE_BYTES);
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }
}

/// Our reports have text for keys and no number that JSON lacks. JSON may hold what steers a
/// terminal as it is; here it never does.
pub(crate) fn to_json(value: &impl Serialize) -> Zeroizing<String> {
    let text = Zeroizing::new(serde_json::to_string(value).unwrap_or_default());
    if !text.contains(steers) {
        return text;
    }
    let mut escaped = Zeroizing::new(String::with_capacity(2 * text.len()));
    for c in text.chars() {
        if steers(c) {
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A number of things.
pub(crate) fn counted(number: impl TryInto<u64> + Display + Copy, thing: &str) -> String {
    let end = if number.try_into().is_ok_and(|number| number == 1) {
        ""
    } else {
        "s"
    };
    format!("{number} {thing}{end}")
}

/// What was stored by somebody must not steer the terminal.
pub(crate) fn harmless(text: &str) -> Zeroizing<String> {
    let mut shown = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if steers(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// A name, such as a path or a label, as it may stand in a line.
pub(crate) fn shown(name: &str) -> String {
    let name = harmless(&without_keys(name));
    name.replace('\n', "\\n").replace('\t', "\\t")
}

/// Control characters, and those that turn the direction of what follows or end the line.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text, and of a key in it, such as one that was given as a path, no more than its beginning.
fn without_keys(text: &str) -> String {
    const BEGINNING: &str = "rsk1.";
    let is_of_a_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut parts = text.split(BEGINNING);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(is_of_a_key);
        let key = part.strip_suffix(rest).unwrap_or_default();
        shown.push_str(BEGINNING);
        // Our own messages name the uses.
        let is_use = matches!(key.trim_end_matches('.'), "" | "data" | "index" | "kek");
        shown.push_str(if is_use { key } else { "…" });
        shown.push_str(rest);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{harmless, shown, to_json, without_keys};

    #[test]
    fn no_value_steers_the_terminal() {
        assert_eq!(*harmless("a\tb\nc"), "a\tb\nc");
        assert_eq!(*harmless("\u{1b}[2Jé\u{9b}"), "\\u{1b}[2Jé\\u{9b}");
        assert_eq!(shown("a\tb\nc\u{202e}"), "a\\tb\\nc\\u{202e}");
        let json = to_json(&"é\u{7f}\u{9b}\u{1b}\u{2066}");
        assert_eq!(*json, r#""é\u007f\u009b\u001b\u2066""#);
        let read: String = serde_json::from_str(&json).unwrap();
        assert_eq!(read, "é\u{7f}\u{9b}\u{1b}\u{2066}");
    }

    #[test]
    fn no_message_shows_a_key() {
        for (text, expected) in [
            ("", ""),
            (
                "a rsk1.data.: b rsk1.kek.) rsk1.",
                "a rsk1.data.: b rsk1.kek.) rsk1.",
            ),
            ("\"keys/rsk1.data.AbC-_9\": no", "\"keys/rsk1.…\": no"),
            ("rsk1.AbCrsk1.data.DeF", "rsk1.…rsk1.…"),
            ("rsk1.dataAbC", "rsk1.…"),
        ] {
            assert_eq!(without_keys(text), expected);
        }
    }
}
