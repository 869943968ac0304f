//! The keys that the arguments of a ring give.

use crate::{
    convert::{argument_text, items},
    error::{Result, invalid_argument},
    key,
};
use pyo3::prelude::*;
use reseal::{Error, ErrorCode, KeyId, KeyState, KeyUse};

/// Collects the arguments of a ring.
#[derive(Default)]
pub(crate) struct Keys(reseal::KeyringBuilder);

impl Keys {
    pub(crate) fn build(self) -> Result<reseal::Keyring> {
        Ok(self.0.build()?)
    }

    fn add(&mut self, key: reseal::Key, state: KeyState) {
        self.0 = core::mem::take(&mut self.0).with(key, state);
    }

    pub(crate) fn primary(
        &mut self,
        value: Option<&Bound<'_, PyAny>>,
        argument: &str,
        key_use: KeyUse,
    ) -> Result<()> {
        let Some(value) = value else { return Ok(()) };
        let key = key::argument(value, argument)?;
        if key.key_use() != key_use {
            let (expected, found) = (key_use.as_str(), key.key_use().as_str());
            let message = format!("{argument} takes a key of use {expected}, not of use {found}");
            return Err(Error::new(ErrorCode::KeyWrongUse, message).into());
        }
        self.add(key, KeyState::Primary);
        Ok(())
    }

    pub(crate) fn list(
        &mut self,
        values: Option<&Bound<'_, PyAny>>,
        argument: &str,
        state: KeyState,
    ) -> Result<()> {
        for value in values.map_or_else(|| Ok(vec![]), |values| items(values, argument))? {
            self.add(key::argument(&value, argument)?, state);
        }
        Ok(())
    }

    pub(crate) fn ids(&mut self, values: Option<&Bound<'_, PyAny>>, argument: &str) -> Result<()> {
        for value in values.map_or_else(|| Ok(vec![]), |values| items(values, argument))? {
            if value.is_instance_of::<key::Key>() {
                return Err(invalid_argument(format!(
                    "{argument} takes key ids: give key.id"
                )));
            }
            let id = KeyId::parse(&argument_text(&value, "a key id")?)?;
            self.0 = core::mem::take(&mut self.0).destroyed(id);
        }
        Ok(())
    }
}
