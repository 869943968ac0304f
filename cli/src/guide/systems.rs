//! How keys of other systems change, in their own formats.

use reseal::codec::CodecKind;
use reseal::manifest::CodecSpec;

use super::shell::{quoted, variable};

/// The variable with the id of the key that sealed before.
const OLD_KEY_ID: &str = "OLD_KEY_ID";

/// A codec of another system that columns write.
pub(super) struct RotatedSystem<'m> {
    pub(super) codec: &'m CodecSpec,
    /// The columns, for a sentence.
    pub(super) columns: String,
    /// The id of the key that it writes under, where the manifest has it.
    pub(super) primary: Option<String>,
    /// Whether it is the only one of those that have it.
    pub(super) is_only: bool,
}

impl RotatedSystem<'_> {
    /// Sentry's values name their key, so that one codec holds the old one and the new one.
    fn names_its_keys(&self) -> bool {
        self.codec.kind() == CodecKind::Sentry
    }

    pub(super) fn introduced_by_hand(&self) -> String {
        let (name, kind, columns) = (self.codec.name(), self.codec.kind().as_str(), &self.columns);
        if self.names_its_keys() {
            return format!(
                "Make a key with reseal keys new --for fernet --out, a file of its own in the key \
                 directory of [codecs.{name}], whose name is its id, and bring it to every process."
            );
        }
        format!(
            "Make a key with reseal keys new --for {kind}, describe it as [codecs.{name}_new], of \
             kind {kind}, and add {name}_new to read of {columns}; give it to the other \
             applications as {kind} takes further keys."
        )
    }

    pub(super) fn promoted_by_hand(&self) -> String {
        let name = self.codec.name();
        if self.names_its_keys() {
            return format!(
                "Let primary of [codecs.{name}] name the new key, here and in every application."
            );
        }
        format!("Let the columns write {name}_new and read {name}, here and in every application.")
    }

    /// Keeps the id of the key that is to be retired, before another one is primary.
    pub(super) fn remembered(&self) -> Option<String> {
        let primary = self.primary.as_ref()?;
        Some(format!("{}={}", self.variable(), quoted(primary)))
    }

    fn variable(&self) -> String {
        if self.is_only {
            return OLD_KEY_ID.to_owned();
        }
        variable(OLD_KEY_ID, self.codec.name())
    }

    /// What `retire` is told.
    pub(super) fn old(&self) -> String {
        if self.names_its_keys() {
            return format!("\"${}\"", self.variable());
        }
        self.codec.name().to_owned()
    }

    pub(super) fn gone_by_hand(&self) -> String {
        let name = self.codec.name();
        if self.names_its_keys() {
            return format!("Take the old key out of the key directory of [codecs.{name}].");
        }
        format!("Take {name} out of read, and out of the codecs.")
    }
}
