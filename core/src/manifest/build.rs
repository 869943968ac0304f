//! What a manifest needs from outside, and the columns that it makes of it.

use super::{
    CodecSpec, ColumnSpec, Manifest, NamedKey, RingWant, Secrets, Want,
    problem::{no_such, shown},
};
use crate::{
    column::{Column, NamedCodec},
    error::{Error, ErrorCode, Result},
    sorted::SortedMap,
};
use alloc::{format, string::String, vec::Vec};

impl Manifest {
    /// What is to be read for the codecs that columns use, each thing once.
    #[must_use]
    pub fn wants(&self) -> Vec<Want> {
        let codecs = self.used();
        wants(codecs)
    }

    /// What is to be read for one codec.
    ///
    /// # Errors
    /// `invalid-argument` where there is no codec of this name.
    pub fn wants_of(&self, codec: &str) -> Result<Vec<Want>> {
        self.spec(codec).map(|codec| wants([codec]))
    }

    /// The rings of the codecs of kind reseal that columns use.
    #[must_use]
    pub fn rings(&self) -> Vec<RingWant> {
        let rings = self.used().filter_map(|codec| {
            Some(RingWant {
                codec: codec.name().into(),
                source: codec.ring()?.clone(),
            })
        });
        rings.collect()
    }

    /// The ring of one codec; nothing where it is of another kind than reseal.
    ///
    /// # Errors
    /// `invalid-argument` where there is no codec of this name.
    pub fn ring_of(&self, codec: &str) -> Result<Option<RingWant>> {
        let codec = self.spec(codec)?;
        Ok(codec.ring().map(|source| RingWant {
            codec: codec.name().into(),
            source: source.clone(),
        }))
    }

    /// The keys of one codec that its values name by ids of their own: files and keys of kind
    /// sentry, rows of n8n and Metabase. What [`Secrets`] does not hold is left out, and nothing is
    /// opened.
    ///
    /// # Example
    /// ```
    /// use reseal::manifest::{Manifest, Secrets};
    /// let manifest = Manifest::parse(
    ///     "version = 1
    ///     [codecs.fields]
    ///     kind = 'sentry'
    ///     keys = { key_2024 = 'env:OLD', key_2026 = 'env:NEW' }
    ///     primary = 'key_2026'",
    /// )?;
    /// let keys = manifest.named_keys("fields", &Secrets::new())?;
    /// assert_eq!((keys[0].id.as_str(), keys[0].is_primary), ("key_2024", false));
    /// assert_eq!((keys[1].id.as_str(), keys[1].is_primary), ("key_2026", true));
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` where there is no codec of this name; `source-unreadable` for what is no
    /// rows.
    pub fn named_keys(&self, codec: &str, secrets: &Secrets) -> Result<Vec<NamedKey>> {
        self.spec(codec)?.named_keys(secrets)
    }

    /// One codec with its keys.
    ///
    /// # Errors
    /// `invalid-argument` where there is no codec of this name; `source-missing` for what was not
    /// given, `source-unreadable` for what is not text or rows; those of the codecs, such as
    /// `invalid-key`. All name the member.
    pub fn codec(&self, name: &str, secrets: &Secrets) -> Result<NamedCodec> {
        self.spec(name)?.build(secrets)
    }

    /// The columns with their codecs, in the order of [`Manifest::columns`]. Each codec is built
    /// once, and columns share it.
    ///
    /// # Errors
    /// As [`Manifest::codec`].
    pub fn build(&self, secrets: &Secrets) -> Result<Vec<Column>> {
        self.columns_with(|codec| codec.build(secrets))
    }

    /// The columns without any key: enough for [`Column::classify`], the census. Nothing opens.
    ///
    /// # Example
    /// ```
    /// use reseal::{Classified, codec::Stored, manifest::Manifest};
    /// let column = "table = 'users'\ncolumn = 'ssn'\nrow_id = ['id']\nwrite = 'tokens'";
    /// let codec = "kind = 'fernet'\nkeys = ['env:FERNET_KEY']";
    /// let text = format!("version = 1\n[codecs.tokens]\n{codec}\n[[columns]]\n{column}");
    /// let column = &Manifest::parse(&text)?.keyless()?[0];
    /// let token = column.classify(Some(Stored::Text("gAAAAABl")));
    /// assert!(matches!(token, Classified::In { origin, .. } if origin.codec == "tokens"));
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// None in practice.
    pub fn keyless(&self) -> Result<Vec<Column>> {
        self.columns_with(|codec| Ok(codec.keyless()))
    }

    fn columns_with(
        &self,
        build: impl Fn(&CodecSpec) -> Result<NamedCodec>,
    ) -> Result<Vec<Column>> {
        let mut instances = SortedMap::new();
        for codec in self.used() {
            instances.insert(codec.name(), build(codec)?);
        }
        let columns = self.columns.iter();
        columns.map(|spec| spec.build(&instances)).collect()
    }

    /// The codecs of columns, or all of them where there is no column.
    fn used(&self) -> impl Iterator<Item = &CodecSpec> {
        let names = names_of(&self.columns);
        let all = self.columns.is_empty();
        self.codecs
            .values()
            .filter(move |codec| all || names.contains_key(codec.name()))
    }

    fn spec(&self, name: &str) -> Result<&CodecSpec> {
        self.codecs.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.codecs.keys().map(String::as_str).collect();
            Error::new(ErrorCode::InvalidArgument, no_such("codec", name, &known))
        })
    }
}

impl ColumnSpec {
    fn build(&self, codecs: &SortedMap<&str, NamedCodec>) -> Result<Column> {
        let codec = |name: &str| {
            codecs.get(name).cloned().ok_or_else(|| {
                let message = format!("there is no codec {}", shown(name));
                Error::new(ErrorCode::InvalidArgument, message)
            })
        };
        let mut column = Column::new(codec(&self.write)?)
            .mode(self.mode)
            .value_type(self.sealed_type())
            .context(self.fixed_context());
        for name in &self.read {
            column = column.read(codec(name)?)?;
        }
        for earlier in &self.earlier_contexts {
            column = column.earlier_context(earlier.clone());
        }
        for index in &self.indexes {
            column = column.index(index.index.clone())?;
        }
        Ok(column)
    }
}

/// The names of the codecs of some columns.
pub(super) fn names_of(columns: &[ColumnSpec]) -> SortedMap<&str, ()> {
    let names = columns.iter().flat_map(ColumnSpec::codecs);
    names.map(|name| (name, ())).collect()
}

fn wants<'c>(codecs: impl IntoIterator<Item = &'c CodecSpec>) -> Vec<Want> {
    let mut wants: Vec<Want> = Vec::new();
    for codec in codecs {
        for need in codec.needs() {
            let is_it = |want: &Want| want.kind == need.kind && want.name == need.name;
            if !wants.iter().any(is_it) {
                wants.push(Want {
                    kind: need.kind,
                    name: need.name,
                    named_by: format!("codecs.{}.{}", codec.name(), need.member),
                });
            }
        }
    }
    wants
}
