//! `MessagePackMessageSerializer`: the signature of Active Support, then maps of bytes.

use super::{
    encoding::Encoding,
    message::{MAX_LEVELS, Map, Message, Node, Sealed},
};
use alloc::{string::String, vec::Vec};
use rmp::{
    Marker, decode,
    decode::Bytes,
    encode,
    encode::{ByteBuf, RmpWrite, ValueWriteError},
};

/// What Active Support puts before everything that it packs.
const SIGNATURE: &[u8] = b"\xCC\x80";
/// How every message starts that Rails wrote: a map of two, the payload first.
const START: &[u8] = b"\xCC\x80\x82\xA1p";
/// The extension type of a Ruby symbol.
const SYMBOL: i8 = 0;

type Written = Result<(), ValueWriteError<core::convert::Infallible>>;

/// The map of a packed value; nothing where it is cut, has more behind it, or is another type.
pub(super) fn read(bytes: &[u8]) -> Option<Map> {
    let mut rest = Bytes::new(bytes.strip_prefix(SIGNATURE)?);
    match node(&mut rest, 0)? {
        Node::Map(map) if rest.remaining_slice().is_empty() => Some(map),
        _ => None,
    }
}

/// Whether these are the first bytes of a message.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

fn node(rest: &mut Bytes<'_>, level: usize) -> Option<Node> {
    let whole = *rest;
    let marker = decode::read_marker(rest).ok()?;
    let skipped = match marker {
        Marker::Null => return Some(Node::Null),
        Marker::False => return Some(Node::Flag(false)),
        Marker::True => return Some(Node::Flag(true)),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            *rest = whole;
            let length = decode::read_str_len(rest).ok()?;
            return Some(Node::Bytes(take(rest, length)?.into()));
        }
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
            *rest = whole;
            let length = decode::read_bin_len(rest).ok()?;
            return Some(Node::Bytes(take(rest, length)?.into()));
        }
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 if level <= MAX_LEVELS => {
            let pairs = decode::marker_to_len(rest, marker).ok()?;
            return map(rest, pairs, level).map(Node::Map);
        }
        Marker::FixPos(_) | Marker::FixNeg(_) => 0,
        Marker::U8 | Marker::I8 => 1,
        Marker::U16 | Marker::I16 => 2,
        Marker::U32 | Marker::I32 | Marker::F32 => 4,
        Marker::U64 | Marker::I64 | Marker::F64 => 8,
        _ => return None,
    };
    take(rest, skipped)?;
    Some(Node::Other)
}

fn map(rest: &mut Bytes<'_>, pairs: u32, level: usize) -> Option<Map> {
    let mut map = Map::default();
    for _ in 0..pairs {
        map.insert(name(rest)?, node(rest, level + 1)?)?;
    }
    Some(map)
}

/// A symbol, or text.
fn name(rest: &mut Bytes<'_>) -> Option<String> {
    let mut symbol = *rest;
    if let Ok(meta) = decode::read_ext_meta(&mut symbol) {
        let name = take(&mut symbol, meta.size).filter(|_| meta.typeid == SYMBOL)?;
        *rest = symbol;
        return String::from_utf8(name.into()).ok();
    }
    let length = decode::read_str_len(rest).ok()?;
    String::from_utf8(take(rest, length)?.into()).ok()
}

fn take<'v>(rest: &mut Bytes<'v>, length: u32) -> Option<&'v [u8]> {
    let length = usize::try_from(length).ok()?;
    let (taken, left) = rest.remaining_slice().split_at_checked(length)?;
    *rest = Bytes::new(left);
    Some(taken)
}

/// The bytes that Rails writes, in its order of headers.
pub(super) fn write(message: &Message) -> Option<Vec<u8>> {
    let mut packed = ByteBuf::from_vec(SIGNATURE.to_vec());
    pack(&mut packed, message).ok()?;
    Some(packed.into_vec())
}

fn pack(to: &mut ByteBuf, message: &Message) -> Written {
    let further = [
        message.data_key.is_some(),
        message.reference.is_some(),
        message.compressed,
    ];
    let further = further.into_iter().map(u32::from).sum();
    pack_start(to, &message.sealed, message.encoding, further)?;
    if let Some(data_key) = &message.data_key {
        pack_symbol(to, "k")?;
        pack_start(to, data_key, Encoding::BINARY, 0)?;
    }
    if let Some(reference) = &message.reference {
        pack_symbol(to, "i")?;
        encode::write_str(to, reference)?;
    }
    if message.compressed {
        pack_symbol(to, "c")?;
        encode::write_bool(to, true).map_err(ValueWriteError::InvalidMarkerWrite)?;
    }
    Ok(())
}

/// A message of which so many headers follow.
fn pack_start(to: &mut ByteBuf, sealed: &Sealed, encoding: Encoding, further: u32) -> Written {
    let labelled = encoding != Encoding::UTF_8;
    encode::write_map_len(to, 2)?;
    encode::write_str(to, "p")?;
    // Ruby's empty text is the one that came in, and no bytes of the cipher.
    if sealed.payload.is_empty() && !labelled {
        encode::write_str(to, "")?;
    } else {
        encode::write_bin(to, &sealed.payload)?;
    }
    encode::write_str(to, "h")?;
    encode::write_map_len(to, 2 + u32::from(labelled) + further)?;
    pack_symbol(to, "iv")?;
    encode::write_bin(to, &sealed.iv)?;
    pack_symbol(to, "at")?;
    encode::write_bin(to, &sealed.tag)?;
    if labelled {
        pack_symbol(to, "e")?;
        encode::write_str(to, encoding.name())?;
    }
    Ok(())
}

fn pack_symbol(to: &mut ByteBuf, name: &str) -> Written {
    let length = u32::try_from(name.len()).unwrap_or_default();
    encode::write_ext_meta(to, length, SYMBOL)?;
    to.write_bytes(name.as_bytes())
        .map_err(ValueWriteError::InvalidDataWrite)
}
