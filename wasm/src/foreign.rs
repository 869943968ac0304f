//! The codecs of other systems, from options. Their names are those of the TypeScript side, which
//! has checked them.

use crate::{error::bad_call, n8n::row_of, options::Options};
use alloc::{sync::Arc, vec::Vec};
use reseal::{
    Result,
    codec::{
        Codec, CodecKind, DjangoCryptography, DjangoDigest, DjangoField, DjangoKeys, Expect,
        Fernet, FernetKey, Freeboard, FreeboardKey, Metabase, MetabaseKey, N8n, N8nWrite, Rails,
        RailsBuilder, RailsDigest, RailsSerializer, Sentry, SentryField, SentryMethod,
        SqlalchemyEngine, SqlalchemyUtils,
    },
};

/// The codec of a kind that has keys of its own.
pub(crate) fn codec(kind: CodecKind, options: Options<'_>) -> Result<Arc<dyn Codec>> {
    Ok(match kind {
        CodecKind::Fernet => Arc::new(fernet(options)?),
        CodecKind::DjangoFernet => Arc::new(django_fernet(options)?),
        CodecKind::FernetFields => Arc::new(fernet_fields(options)?),
        CodecKind::DjangoCryptography => Arc::new(django_cryptography(options)?),
        CodecKind::SqlalchemyUtils => Arc::new(sqlalchemy_utils(options)?),
        CodecKind::Sentry => Arc::new(sentry(options)?),
        CodecKind::Rails => Arc::new(rails(options)?.build()?),
        CodecKind::Metabase => Arc::new(metabase(options)?),
        CodecKind::N8n => Arc::new(n8n(options)?),
        CodecKind::Freeboard => Arc::new(freeboard(options)?),
        _ => return Err(bad_call()),
    })
}

fn fernet(options: Options<'_>) -> Result<Fernet> {
    let keys = options.texts("keys").into_iter().map(FernetKey::parse);
    let codec = Fernet::new(keys.collect::<Result<_>>()?)?;
    Ok(codec.lenient(options.has("lenient")))
}

fn django_fernet(options: Options<'_>) -> Result<Fernet> {
    let codec = Fernet::django(&options.texts("secrets"), &options.texts("salts"))?;
    Ok(codec.lenient(options.has("lenient")))
}

fn fernet_fields(options: Options<'_>) -> Result<Fernet> {
    let prefix = options.text("prefix").unwrap_or(Fernet::PREFIX);
    let secrets = options.texts("secrets").into_iter();
    let keys = secrets.map(|secret| {
        if options.has("noHkdf") {
            FernetKey::parse(secret)
        } else {
            FernetKey::fields(secret, prefix)
        }
    });
    let codec = Fernet::fields(keys.collect::<Result<_>>()?)?;
    Ok(codec.lenient(options.has("lenient")))
}

fn django_cryptography(options: Options<'_>) -> Result<DjangoCryptography> {
    let (secrets, keys) = (options.texts("secrets"), options.texts("cryptographyKeys"));
    let of_field: Vec<&[u8]> = options.all("fieldKeys").collect();
    let keys = if of_field.is_empty() {
        DjangoKeys::Settings {
            cryptography_keys: &keys,
            salt: options.text("salt").unwrap_or(DjangoKeys::SALT),
            digest: options
                .text("digest")
                .map_or(Ok(DjangoDigest::default()), DjangoDigest::parse)?,
        }
    } else {
        DjangoKeys::Field(&of_field)
    };
    let codec = DjangoCryptography::new(&secrets, &keys)?;
    Ok(match options.text("field") {
        Some(field) => codec.field(DjangoField::parse(field)?),
        None => codec,
    })
}

fn sqlalchemy_utils(options: Options<'_>) -> Result<SqlalchemyUtils> {
    let engine = SqlalchemyEngine::parse(text(options, "engine"), options.text("padding"))?;
    let codec = SqlalchemyUtils::new(&options.texts("keys"), engine)?;
    let codec = codec.lenient(options.has("lenient"));
    Ok(match expect(options) {
        Some(expect) => codec.expect(expect),
        None => codec,
    })
}

fn sentry(options: Options<'_>) -> Result<Sentry> {
    let keys = options.groups("keys").into_iter();
    let keys = keys.map(|key| (text(key, "id"), text(key, "text")));
    let codec = Sentry::new(keys, text(options, "primary"))?;
    let field = match options.text("field") {
        Some("json") => SentryField::Json,
        _ => SentryField::Text,
    };
    let method = match options.text("method") {
        Some("plaintext") => SentryMethod::Plaintext,
        _ => SentryMethod::Fernet,
    };
    let codec = codec.field(field).method(method);
    let codec = codec.plaintext(!options.has("noPlaintext"));
    Ok(codec.lenient(options.has("lenient")))
}

fn rails(options: Options<'_>) -> Result<RailsBuilder> {
    let digests = options.texts("digests").into_iter().map(RailsDigest::parse);
    let mut builder = Rails::builder()
        .primary_keys(options.texts("primaryKeys"))
        .deterministic_keys(options.texts("deterministicKeys"))
        .previous_keys(options.texts("previousKeys"))
        .key_derivation_salt(text(options, "keyDerivationSalt"))
        .digests(digests.collect::<Result<Vec<_>>>()?)
        .deterministic(options.has("deterministic"))
        .envelope(options.has("envelope"))
        .store_key_references(options.has("storeKeyReferences"))
        .compress(!options.has("uncompressed"))
        .lenient(options.has("lenient"));
    if let Some(serializer) = options.text("serializer") {
        builder = builder.serializer(RailsSerializer::parse(serializer)?);
    }
    for previous in options.groups("previous") {
        builder = builder.previous(rails(previous)?);
    }
    Ok(builder)
}

fn metabase(options: Options<'_>) -> Result<Metabase> {
    let keys = options.texts("keys").into_iter().map(MetabaseKey::derive);
    let mut codec = Metabase::new(keys.collect::<Result<_>>()?)?;
    let rows = options.all("dataKeys").map(|row| {
        let (id, row) = row.split_first_chunk().ok_or_else(bad_call)?;
        Ok((u32::from_le_bytes(*id), row))
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    if !rows.is_empty() {
        codec = codec.data_keys(rows)?;
    }
    if let Some(template) = options.text("aad") {
        codec = codec.aad(template)?;
    }
    if let Some(expect) = expect(options) {
        codec = codec.expect(expect);
    }
    let codec = codec.streams(options.has("streams"));
    Ok(codec.lenient(options.has("lenient")))
}

fn n8n(options: Options<'_>) -> Result<N8n> {
    let rows = options.groups("rows").into_iter().map(row_of);
    let mut builder = N8n::builder().rows(rows).lenient(options.has("lenient"));
    if let Some(write) = options.text("write") {
        builder = builder.write(match write {
            "prefixed" => N8nWrite::Prefixed,
            _ => N8nWrite::Legacy,
        });
    }
    for key in options.texts("instanceKeys") {
        builder = builder.instance_key(key);
    }
    if let Some(key) = options.text("customKey") {
        builder = builder.custom_key(key);
    }
    if let Some(expect) = expect(options) {
        builder = builder.expect(expect);
    }
    builder.build()
}

fn freeboard(options: Options<'_>) -> Result<Freeboard> {
    let keys = options.texts("keys").into_iter().map(FreeboardKey::parse);
    let codec = Freeboard::new(keys.collect::<Result<_>>()?)?;
    Ok(codec.lenient(options.has("lenient")))
}

fn expect(options: Options<'_>) -> Option<Expect> {
    match options.text("expect") {
        Some("json") => Some(Expect::Json),
        Some("utf8") => Some(Expect::Utf8),
        _ => None,
    }
}

fn text<'i>(options: Options<'i>, name: &'static str) -> &'i str {
    options.text(name).unwrap_or_default()
}
