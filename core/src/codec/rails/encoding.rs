//! The names of Ruby's encodings, as the header `e` gives them.

/// One of Ruby's encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding(&'static str);

impl Encoding {
    pub(super) const UTF_8: Self = Self("UTF-8");
    pub(super) const BINARY: Self = Self("ASCII-8BIT");
    const US_ASCII: Self = Self("US-ASCII");
    const LATIN_1: Self = Self("ISO-8859-1");

    /// The encoding of a name; Ruby takes capital and small letters for the same.
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"BINARY") {
            return Some(Self::BINARY);
        }
        let mut known = NAMES.iter().copied();
        known
            .find(|known| known.as_bytes().eq_ignore_ascii_case(name))
            .map(Self)
    }

    /// The one of the longest name.
    pub(super) fn longest() -> Self {
        let names = NAMES.iter().copied();
        names
            .max_by_key(|name| name.len())
            .map_or(Self::UTF_8, Self)
    }

    /// What Rails labels a Ruby string with that holds these bytes.
    pub(super) const fn of(bytes: &[u8]) -> Self {
        match core::str::from_utf8(bytes) {
            Ok(_) => Self::UTF_8,
            Err(_) => Self::BINARY,
        }
    }

    /// The name that Ruby gives it.
    pub(super) const fn name(self) -> &'static str {
        self.0
    }

    /// Whether these bytes are the same text in UTF-8, as Ruby converts it.
    pub(super) fn is_utf8_of(self, bytes: &[u8]) -> bool {
        match self {
            Self::UTF_8 => core::str::from_utf8(bytes).is_ok(),
            Self::US_ASCII | Self::BINARY | Self::LATIN_1 => bytes.is_ascii(),
            _ => false,
        }
    }

    /// Its place among the notes of a scheme name.
    pub(super) const fn note(self) -> usize {
        match self.0.as_bytes() {
            b"UTF-8" => 0,
            b"US-ASCII" => 1,
            b"ASCII-8BIT" => 2,
            b"ISO-8859-1" => 3,
            _ => 4,
        }
    }
}

const NAMES: &[&str] = &[
    "UTF-8",
    "US-ASCII",
    "ASCII-8BIT",
    "ISO-8859-1",
    "ISO-8859-2",
    "ISO-8859-3",
    "ISO-8859-4",
    "ISO-8859-5",
    "ISO-8859-6",
    "ISO-8859-7",
    "ISO-8859-8",
    "ISO-8859-9",
    "ISO-8859-10",
    "ISO-8859-11",
    "ISO-8859-13",
    "ISO-8859-14",
    "ISO-8859-15",
    "ISO-8859-16",
    "Windows-1250",
    "Windows-1251",
    "Windows-1252",
    "Windows-1253",
    "Windows-1254",
    "Windows-1255",
    "Windows-1256",
    "Windows-1257",
    "Windows-1258",
    "Windows-874",
    "Windows-31J",
    "UTF-16",
    "UTF-16BE",
    "UTF-16LE",
    "UTF-32",
    "UTF-32BE",
    "UTF-32LE",
    "UTF-7",
    "UTF8-MAC",
    "CESU-8",
    "Big5",
    "Big5-HKSCS",
    "Big5-UAO",
    "EUC-JP",
    "EUC-KR",
    "EUC-TW",
    "EUC-JIS-2004",
    "eucJP-ms",
    "GB2312",
    "GB12345",
    "GB18030",
    "GBK",
    "Shift_JIS",
    "SJIS-DoCoMo",
    "SJIS-KDDI",
    "SJIS-SoftBank",
    "UTF8-DoCoMo",
    "UTF8-KDDI",
    "UTF8-SoftBank",
    "ISO-2022-JP",
    "ISO-2022-JP-2",
    "ISO-2022-JP-KDDI",
    "stateless-ISO-2022-JP",
    "stateless-ISO-2022-JP-KDDI",
    "CP50220",
    "CP50221",
    "CP51932",
    "CP949",
    "CP950",
    "CP951",
    "KOI8-R",
    "KOI8-U",
    "TIS-620",
    "Emacs-Mule",
    "IBM037",
    "IBM437",
    "IBM720",
    "IBM737",
    "IBM775",
    "CP850",
    "CP852",
    "CP855",
    "IBM852",
    "IBM855",
    "IBM857",
    "IBM860",
    "IBM861",
    "IBM862",
    "IBM863",
    "IBM864",
    "IBM865",
    "IBM866",
    "IBM869",
    "macCentEuro",
    "macCroatian",
    "macCyrillic",
    "macGreek",
    "macIceland",
    "MacJapanese",
    "macRoman",
    "macRomania",
    "macThai",
    "macTurkish",
    "macUkraine",
];
