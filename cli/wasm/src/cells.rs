//! Rows as JavaScript packs them: one list of bytes, since each call between the two takes as long as
//! a cell has to be copied.
//!
//! A cell is a byte for its kind, and what belongs to it: eight bytes of an integer, or four of a
//! length and then so many bytes of text in UTF-8 or of bytes; numbers begin with their least byte.
//! A byte of its own ends each row. `wasm/ts/cli-cells.ts` writes it.

use reseal::job::Cell;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;
const OTHER: u8 = 4;
const ROW_END: u8 = 5;

/// The rows; nothing where the bytes are no rows.
pub(crate) fn rows(mut packed: &[u8]) -> Option<Vec<Vec<Cell>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    while let Some((kind, rest)) = packed.split_first() {
        packed = rest;
        row.push(match *kind {
            NULL => Cell::Null,
            INTEGER => i64::from_le_bytes(array(&mut packed)?).into(),
            TEXT => core::str::from_utf8(sized(&mut packed)?).ok()?.into(),
            BYTES => sized(&mut packed)?.to_vec().into(),
            OTHER => Cell::Other,
            ROW_END => {
                let cells = row.len();
                rows.push(core::mem::replace(&mut row, Vec::with_capacity(cells)));
                continue;
            }
            _ => return None,
        });
    }
    row.is_empty().then_some(rows)
}

fn sized<'p>(packed: &mut &'p [u8]) -> Option<&'p [u8]> {
    let length = u32::from_le_bytes(array(packed)?);
    let (bytes, rest) = packed.split_at_checked(length.try_into().ok()?)?;
    *packed = rest;
    Some(bytes)
}

fn array<const N: usize>(packed: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, rest) = packed.split_first_chunk()?;
    *packed = rest;
    Some(*bytes)
}
