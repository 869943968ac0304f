//! Bytes as text on a terminal: base64 or hexadecimal.

use clap::ValueEnum;
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use reseal::{Error, ErrorCode, Result, Zeroizing};

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// Base64 with padding; base64url and missing padding are read as well
    Base64,
    /// Hexadecimal; a prefix `\x` or `0x` is read as well
    Hex,
}

impl Encoding {
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Base64 => BASE64.encode(bytes),
            Self::Hex => HEXLOWER.encode(bytes),
        }
    }

    pub(crate) fn decode(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = match self {
            Self::Base64 => {
                let plain: Zeroizing<String> = Zeroizing::new(
                    text.trim_end_matches('=')
                        .replace('-', "+")
                        .replace('_', "/"),
                );
                BASE64_NOPAD.decode(plain.as_bytes())
            }
            Self::Hex => HEXLOWER_PERMISSIVE.decode(without_hex_prefix(text).as_bytes()),
        };
        bytes.ok().map(Zeroizing::new)
    }
}

/// A stored envelope, in whichever form it was given.
#[derive(Debug)]
pub(crate) enum Stored<'a> {
    Text(&'a str),
    Binary(Vec<u8>, Encoding),
}

impl<'a> Stored<'a> {
    /// The four bytes that begin the binary form tell it from text; what is neither is left for
    /// the core to refuse.
    pub(crate) fn read(text: &'a str) -> Result<Self> {
        let encoding = if without_hex_prefix(text)
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("c15e5253"))
        {
            Encoding::Hex
        } else if text.starts_with("wV5SU") {
            Encoding::Base64
        } else {
            return Ok(Self::Text(text));
        };
        let mut bytes = encoding.decode(text).ok_or_else(|| {
            Error::new(
                ErrorCode::Malformed,
                "this starts like an envelope in base64 or hexadecimal but is cut or damaged",
            )
        })?;
        Ok(Self::Binary(core::mem::take(&mut *bytes), encoding))
    }

    /// `text`, `base64` or `hex`.
    pub(crate) fn form(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Binary(_, Encoding::Base64) => "base64",
            Self::Binary(_, Encoding::Hex) => "hex",
        }
    }
}

/// As databases print bytes.
fn without_hex_prefix(text: &str) -> &str {
    text.strip_prefix("\\x")
        .or_else(|| text.strip_prefix("0x"))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Stored};

    #[test]
    fn bytes_come_back() {
        for encoding in [Encoding::Base64, Encoding::Hex] {
            for bytes in [&b""[..], b"\x00", b"\xFF\xFE", b"abc"] {
                let text = encoding.encode(bytes);
                assert_eq!(encoding.decode(&text).unwrap().as_slice(), bytes, "{text}");
            }
        }
    }

    #[test]
    fn foreign_spellings_are_read() {
        let bytes = [0xFB, 0xFF, 0xFE, 0x01];
        for text in ["+//+AQ==", "-__-AQ==", "-__-AQ"] {
            assert_eq!(*Encoding::Base64.decode(text).unwrap(), bytes, "{text}");
        }
        for text in ["fbfffe01", "FBFFFE01", "\\xfbfffe01", "0xFbfffe01"] {
            assert_eq!(*Encoding::Hex.decode(text).unwrap(), bytes, "{text}");
        }
        for (encoding, text) in [
            (Encoding::Base64, "a"),
            (Encoding::Base64, "YQ =="),
            (Encoding::Hex, "abc"),
            (Encoding::Hex, "xx"),
        ] {
            assert!(encoding.decode(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_magic_tells_the_form() {
        let form = |text| Stored::read(text).map(|stored| stored.form());
        assert_eq!(form("c15e525301"), Ok("hex"));
        assert_eq!(form("\\xC15E525301"), Ok("hex"));
        assert_eq!(form("wV5SUwE="), Ok("base64"));
        assert_eq!(form("wV5SUwE"), Ok("base64"));
        assert_eq!(form("rs1.abc"), Ok("text"));
        assert_eq!(form(""), Ok("text"));
        assert_eq!(form("grüße an alle"), Ok("text"));
        assert_eq!(form("c15e52530").unwrap_err().code().as_str(), "malformed");
        assert_eq!(form("wV5SUw!").unwrap_err().code().as_str(), "malformed");
    }
}
