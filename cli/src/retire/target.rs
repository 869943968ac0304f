//! What a person means who names a key.

use std::collections::BTreeSet;

use reseal::manifest::{CodecSpec, KeyringSource, RingWant};
use reseal::{Error, ErrorCode, KeyState, KeyUse};

use super::Retirement;
use super::ring::KeysetPlace;
use crate::console::shown;
use crate::failure::{Failure, Outcome, usage};
use crate::manifest;

/// As many characters of an id name a key.
const MIN_CHARS: usize = 4;

/// A key that a codec of the manifest has.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: String,
    /// The codec.
    pub(super) codec: String,
    pub(super) state: KeyState,
    pub(super) key_use: Option<KeyUse>,
    pub(super) label: String,
    pub(super) source: KeyringSource,
}

/// A key of another system that a codec of the manifest has, by the id that values show.
pub(super) struct Named {
    pub(super) id: String,
    /// The codec.
    pub(super) codec: String,
    /// Whether columns write under it.
    pub(super) seals: bool,
}

impl Named {
    /// Why one that columns write under does not go.
    pub(super) fn in_use(&self) -> Error {
        let (codec, id) = (&self.codec, shown(&self.id));
        Error::new(
            ErrorCode::StillInUse,
            format!(
                "codecs.{codec} writes under the key {id}: let it write under another one first"
            ),
        )
    }
}

impl Retirement<'_, '_> {
    /// The keys of other systems that values name.
    pub(super) async fn named(&mut self) -> Outcome<Vec<Named>> {
        let dialect = self.connect().await?;
        let secrets = manifest::named(&self.manifest, self.console, self.database, dialect).await?;
        let mut named = Vec::new();
        for codec in self.manifest.codecs().map(CodecSpec::name) {
            let mut columns = self.manifest.columns().iter();
            let is_written = columns.any(|spec| spec.write == codec);
            let keys = self.manifest.named_keys(codec, &secrets)?;
            named.extend(keys.into_iter().map(|key| Named {
                id: key.id,
                codec: codec.to_owned(),
                seals: is_written && key.is_primary,
            }));
        }
        Ok(named)
    }

    /// The keys of all codecs of the manifest that are kept by this project.
    pub(super) async fn known(&mut self) -> Outcome<Vec<Known>> {
        let codecs: Vec<String> = self
            .manifest
            .codecs()
            .map(|it| it.name().to_owned())
            .collect();
        let mut known = Vec::new();
        for codec in codecs {
            let Some(want) = self.manifest.ring_of(&codec)? else {
                continue;
            };
            match self.keys_of(&want).await {
                Ok(keys) => known.extend(keys),
                Err(Failure::Error(error)) => {
                    let why = format!("the keys of codecs.{codec} are not known here: {error}");
                    self.console.warning(&why)?;
                    self.unread.push(codec);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(known)
    }

    async fn keys_of(&mut self, want: &RingWant) -> Outcome<Vec<Known>> {
        let known = |id, state, key_use, label| Known {
            id,
            codec: want.codec.clone(),
            state,
            key_use,
            label,
            source: want.source.clone(),
        };
        if let Some(place) = KeysetPlace::of(&want.codec, &want.source) {
            let info = self.read(&place).await?.document.info();
            let keys = info.keys.into_iter();
            return Ok(keys
                .map(|key| known(key.id.to_string(), key.state, Some(key.key_use), key.label))
                .collect());
        }
        let ring = manifest::ring_of(&want.source, self.console, self.database).await?;
        let keys = ring.keys();
        Ok(keys
            .map(|key| known(key.id.to_string(), key.state, key.key_use, key.label))
            .collect())
    }
}

/// The one id of several that a text names; nothing where it names none.
pub(super) fn pick<'k>(
    text: &str,
    ids: impl IntoIterator<Item = &'k str>,
) -> Outcome<Option<String>> {
    let ids: BTreeSet<&str> = ids.into_iter().collect();
    if ids.contains(text) {
        return Ok(Some(text.to_owned()));
    }
    if text.chars().count() < MIN_CHARS {
        return Ok(None);
    }
    let begin = ids.into_iter().filter(|id| id.starts_with(text));
    let begin: Vec<&str> = begin.collect();
    match begin.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).to_owned())),
        several => usage(format!(
            "more than one key begins so: give more of it; these do: {}",
            shown(&several.join(", "))
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::pick;

    #[test]
    fn a_key_is_named_by_its_beginning() {
        let ids = ["abcdefgh", "abcdzzzz", "1", "12"];
        let picked = |text| pick(text, ids).unwrap();
        assert_eq!(picked("abcde").as_deref(), Some("abcdefgh"));
        assert_eq!(
            picked("1").as_deref(),
            Some("1"),
            "a whole name has any length"
        );
        assert_eq!(picked("abc"), None, "too short");
        assert_eq!(picked("nope"), None);
        let Err(crate::failure::Failure::Usage(why)) = pick("abcd", ids) else {
            panic!("two begin so");
        };
        assert!(why.contains("abcdefgh, abcdzzzz"), "{why}");
    }
}
