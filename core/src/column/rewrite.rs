//! Rewriting: a stored value brought to the codec that the column writes, and the repairs.

use super::{Column, Found, NamedCodec, Origin, Outcome, Read, Written, inner_of, spelling};
use crate::{
    codec::{CodecKind, Fresh, Stored, StoredValue, Trust},
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
};
use alloc::{format, sync::Arc};

impl Column {
    /// The value in the write codec, under the key that seals and in the column's mode.
    ///
    /// A value that is refused stays as it is.
    pub fn reseal(
        &self,
        stored: Option<Stored<'_>>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Outcome {
        let Some(stored) = stored else {
            return Outcome::Null;
        };
        let found = self.recognized(stored);
        if self.is_current(stored, &found) == Some(true) {
            return Outcome::Current;
        }
        self.rewrite(stored, &found, facts, fresh)
            .unwrap_or_else(Outcome::Refused)
    }

    /// As [`Column::reseal`], and a value that is current is opened as well: where it has an
    /// earlier context, or another spelling than the canonical one, it is sealed anew.
    pub fn reopen(
        &self,
        stored: Option<Stored<'_>>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Outcome {
        let Some(stored) = stored else {
            return Outcome::Null;
        };
        self.rewrite(stored, &self.recognized(stored), facts, fresh)
            .unwrap_or_else(Outcome::Refused)
    }

    /// The value of a row that was encrypted twice, sealed once: a repair for one row, that a
    /// person asks for.
    ///
    /// # Errors
    /// `format-mismatch` where the plaintext is in no foreign codec of the column; those of opening
    /// and sealing.
    ///
    /// # Security
    /// Never make it a rule: whoever submits a foreign ciphertext as his own text would read it
    /// opened. An envelope of this project inside another value is never unwrapped.
    pub fn unwrap_twice(
        &self,
        stored: Stored<'_>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let outer = believed(self.open_raw(stored, &self.recognized(stored), facts)?)?;
        if outer.doubled.is_none_or(|kind| kind == CodecKind::Reseal) {
            return Err(fixed(
                ErrorCode::FormatMismatch,
                "the plaintext of this value is in no foreign codec of the column: it was \
                 encrypted once",
            ));
        }
        let unquoted = self.unquoted(&outer.plaintext);
        let inner = inner_of(&outer.plaintext, unquoted.as_deref());
        let inner = believed(self.open_raw(inner, &self.recognized(inner), facts)?)?;
        let place = (stored, &outer.origin);
        let written = self.move_to_writer(&inner, facts, place, fresh)?;
        Ok(written.value)
    }

    /// The value of a row in the write codec, whatever its plaintext looks like: for a row that is
    /// refused as `double-encrypted`, and in which somebody just wrote what looks like a
    /// ciphertext. A person asks for it, for one row.
    ///
    /// # Errors
    /// Those of opening and sealing.
    pub fn keep_twice(
        &self,
        stored: Stored<'_>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let read = believed(self.open_raw(stored, &self.recognized(stored), facts)?)?;
        let written = self.move_to_writer(&read, facts, (stored, &read.origin), fresh)?;
        Ok(written.value)
    }

    /// What was opened, in the write codec and in the canonical form of its type, for the place of a
    /// stored value of some origin.
    fn move_to_writer(
        &self,
        read: &Read,
        facts: &Context,
        place: (Stored<'_>, &Origin),
        fresh: &mut Fresh<'_>,
    ) -> Result<Written> {
        self.spelled(&read.plaintext, self.mode, |plaintext| {
            self.write(plaintext, read.encoding, facts, place, fresh)
        })
    }

    /// A plaintext as it is, in the write codec, for the place of a stored value of some origin: what is of
    /// another format says nothing of the form that this one has there.
    fn write(
        &self,
        plaintext: &[u8],
        encoding: Option<&str>,
        facts: &Context,
        (stored, origin): (Stored<'_>, &Origin),
        fresh: &mut Fresh<'_>,
    ) -> Result<Written> {
        let context = self.context.with_all(facts)?;
        let codec = &self.writer()?.codec;
        let place = self.place(&context, stored.form());
        let read = self.codecs.iter().find(|it| it.name == origin.codec);
        read.map_or(Ok(()), |read| read.codec.check_leaving(stored))?;
        let own = spelling::own(codec.kind(), self.value_type, plaintext);
        let plaintext = own.unwrap_or(plaintext);
        let sealed = codec.seal_labelled(plaintext, encoding, &place, fresh)?;
        self.checked(match read {
            Some(read) if read.codec.kind() == codec.kind() => codec.in_place_of(stored, sealed)?,
            _ => sealed,
        })
    }

    /// Whether a value that stays in its codec keeps its spelling. What other systems spell in their
    /// own format does, and so does what is no value of the column's type, so that a key can go
    /// whatever it protects: mode deterministic alone does not let it in.
    fn keeps_spelling(&self, writer: &NamedCodec, read: &Read) -> Result<bool> {
        if writer.codec.kind() != CodecKind::Reseal {
            return Ok(true);
        }
        let comes_in = self.mode == Mode::Deterministic && read.origin.scheme != self.mode.as_str();
        match self.value_type.canonical(&read.plaintext, self.mode) {
            Ok(canonical) => Ok(*canonical == **read.plaintext),
            Err(error) if comes_in => Err(error),
            Err(_) => Ok(true),
        }
    }

    /// Whether a value is as the column would write it; nothing where only opening tells.
    fn is_current(&self, stored: Stored<'_>, found: &[Found<'_>]) -> Option<bool> {
        let ((first, shown), others) = found.split_first()?;
        let writer = self.writer().ok()?;
        if !Arc::ptr_eq(&first.codec, &writer.codec) {
            return Some(false);
        }
        let current = writer.codec.is_current_shown(stored, shown, self.mode);
        // Our key ids are fingerprints. Those of others are names, which two keys may share.
        let kind = writer.codec.kind();
        let certain = matches!(kind, CodecKind::Reseal | CodecKind::Plain)
            || others
                .iter()
                .all(|(named, _)| named.codec.kind() == CodecKind::Plain);
        if certain {
            current
        } else {
            current.filter(|current| !current)
        }
    }

    fn rewrite(
        &self,
        stored: Stored<'_>,
        found: &[Found<'_>],
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<Outcome> {
        let read = self.open_raw(stored, found, facts)?;
        let writer = self.writer()?;
        let same = read.origin.codec == writer.name;
        let is_kept = same && self.keeps_spelling(writer, &read)?;
        let mode_fits = || writer.codec.is_current(stored, self.mode) != Some(false);
        if is_kept && read.current && !read.earlier && mode_fits() {
            return Ok(Outcome::Current);
        }
        let read = believed(read)?;
        // Inside one codec nothing becomes more doubled than it was.
        if let Some(kind) = read.doubled.filter(|_| !same) {
            return Err(Error::new(
                ErrorCode::DoubleEncrypted,
                format!(
                    "the plaintext is itself a value of {}: repair this row by itself",
                    kind.as_str()
                ),
            ));
        }
        let Written { value, shown } = if !is_kept {
            self.move_to_writer(&read, facts, (stored, &read.origin), fresh)?
        } else if read.earlier || writer.codec.rotates_by_sealing(stored) {
            let place = (stored, &read.origin);
            self.write(&read.plaintext, read.encoding, facts, place, fresh)?
        } else {
            let context = self.context.with_all(facts)?;
            let place = self.place(&context, stored.form());
            self.checked(writer.codec.rotate(stored, &place, fresh)?)?
        };
        Ok(Outcome::Resealed {
            to: Origin {
                codec: writer.name.clone(),
                scheme: shown.scheme,
                key: shown.key,
            },
            from: read.origin,
            value,
        })
    }
}

/// What may be sealed again: a plaintext that something speaks for.
fn believed(read: Read) -> Result<Read> {
    if read.trust == Trust::Unchecked {
        return Err(fixed(
            ErrorCode::ExpectRequired,
            "this format does not authenticate: say what its plaintexts are, with expect",
        ));
    }
    Ok(read)
}
