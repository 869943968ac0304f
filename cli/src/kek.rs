//! Key-encrypting keys and passphrases: from the environment, from files, or typed in.

use clap::Args;
use reseal::manifest::{KeysetUnlock, SecretRef};
use reseal::{
    Argon2id, Error, ErrorCode, Key, KeyId, KeyUse, KeysetDocument, NewKek, OsEntropy, Result,
    Zeroizing,
};

use crate::console::Console;
use crate::failure::{Outcome, usage};

const KEK: &str = "RESEAL_KEK";
const KEK_FILE: &str = "RESEAL_KEK_FILE";
const PASSPHRASE: &str = "RESEAL_PASSPHRASE";
const PASSPHRASE_FILE: &str = "RESEAL_PASSPHRASE_FILE";

/// What opens the keyset, beside the environment.
#[derive(Args, Debug, Default)]
pub(crate) struct KekArgs {
    /// A file with a key-encrypting key; may be repeated
    #[arg(long, value_name = "FILE", global = true)]
    kek_file: Vec<String>,

    /// A file with the passphrase
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        conflicts_with = "passphrase"
    )]
    passphrase_file: Option<String>,

    /// Ask for the passphrase at the terminal
    #[arg(long, global = true)]
    passphrase: bool,
}

/// What is to open the keyset from now on.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "the options are named after them"
)]
pub(crate) struct NewKekArgs {
    /// A file with a new key-encrypting key, of reseal keys new --use kek; may be repeated
    #[arg(long, value_name = "FILE")]
    new_kek_file: Vec<String>,

    /// A file with the new passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase")]
    new_passphrase_file: Option<String>,

    /// Ask for the new passphrase at the terminal
    #[arg(long)]
    new_passphrase: bool,
}

/// One secret that was given.
pub(crate) struct Given {
    secret: Secret,
    /// Who gave it, such as `RESEAL_KEK_FILE ring.kek`.
    pub(crate) from: String,
}

enum Secret {
    Key(Key),
    Passphrase(Zeroizing<Vec<u8>>),
}

impl KekArgs {
    /// All that was given: in the environment, in files, at the terminal.
    pub(crate) fn read(&self, console: &mut Console<'_>) -> Outcome<Vec<Given>> {
        let mut given = of_variables(console)?;
        given.extend(self.of_options(console, ask)?);
        Ok(given)
    }

    /// What a new keyset is to be wrapped under: the options replace the variables.
    pub(crate) fn read_for_new(
        &self,
        new: &NewKekArgs,
        console: &mut Console<'_>,
    ) -> Outcome<Vec<Given>> {
        let mut given = self.of_options(console, ask_new)?;
        given.extend(new.read(console)?);
        if given.is_empty() {
            return of_variables(console);
        }
        Ok(given)
    }

    fn of_options(&self, console: &mut Console<'_>, ask: Ask) -> Outcome<Vec<Given>> {
        let mut given = Vec::new();
        for path in &self.kek_file {
            given.push(kek_file(console, path, "--kek-file")?);
        }
        if let Some(path) = &self.passphrase_file {
            given.push(passphrase_file(console, path, "--passphrase-file")?);
        }
        if self.passphrase {
            given.push(Given::passphrase(
                ask(console, "passphrase: ", "--passphrase")?,
                "--passphrase".to_owned(),
            ));
        }
        Ok(given)
    }
}

fn of_variables(console: &mut Console<'_>) -> Outcome<Vec<Given>> {
    let mut given = Vec::new();
    if let Some(text) = variable(console, KEK) {
        check_text(KEK, &text)?;
        given.push(Given::key(kek(&text, KEK)?, KEK.to_owned()));
    }
    if let Some(path) = path_variable(console, KEK_FILE)? {
        given.push(kek_file(console, &path, KEK_FILE)?);
    }
    if let Some(text) = variable(console, PASSPHRASE) {
        check_text(PASSPHRASE, &text)?;
        let text = Zeroizing::new(text.as_bytes().to_vec());
        given.push(Given::passphrase(text, PASSPHRASE.to_owned()));
    }
    if let Some(path) = path_variable(console, PASSPHRASE_FILE)? {
        given.push(passphrase_file(console, &path, PASSPHRASE_FILE)?);
    }
    Ok(given)
}

impl NewKekArgs {
    /// All that was given.
    pub(crate) fn read(&self, console: &mut Console<'_>) -> Outcome<Vec<Given>> {
        let mut given = Vec::new();
        for path in &self.new_kek_file {
            given.push(kek_file(console, path, "--new-kek-file")?);
        }
        if let Some(path) = &self.new_passphrase_file {
            given.push(passphrase_file(console, path, "--new-passphrase-file")?);
        }
        if self.new_passphrase {
            given.push(Given::passphrase(
                ask_new(console, "new passphrase: ", "--new-passphrase")?,
                "--new-passphrase".to_owned(),
            ));
        }
        Ok(given)
    }
}

impl Given {
    /// What a manifest names; `member` is the codec's, for messages.
    pub(crate) fn of_manifest(
        unlock: &KeysetUnlock,
        codec: &str,
        console: &mut Console<'_>,
    ) -> Outcome<Self> {
        let (secret, member) = match unlock {
            KeysetUnlock::Kek(secret) => (secret, format!("codecs.{codec}.kek")),
            KeysetUnlock::Passphrase(secret) => (secret, format!("codecs.{codec}.passphrase")),
        };
        let is_kek = matches!(unlock, KeysetUnlock::Kek(_));
        match secret {
            SecretRef::File(path) if is_kek => kek_file(console, path, &member),
            SecretRef::File(path) => passphrase_file(console, path, &member),
            SecretRef::Env(name) => {
                let text = console.host.variable(name).ok_or_else(|| {
                    let why = format!("{member}: the variable {name} is not set");
                    Error::new(ErrorCode::SourceMissing, why)
                })?;
                check_text(name, &text)?;
                if is_kek {
                    return Ok(Self::key(kek(&text, name)?, name.clone()));
                }
                let text = Zeroizing::new(text.as_bytes().to_vec());
                Ok(Self::passphrase(text, name.clone()))
            }
        }
    }

    fn key(key: Key, from: String) -> Self {
        let secret = Secret::Key(key);
        Self { secret, from }
    }

    fn passphrase(text: Zeroizing<Vec<u8>>, from: String) -> Self {
        let secret = Secret::Passphrase(text);
        Self { secret, from }
    }

    /// The key-encrypting key that this is for a keyset; none where the keyset has no passphrase.
    pub(crate) fn for_keyset(&self, document: &KeysetDocument) -> Result<Option<Key>> {
        match &self.secret {
            Secret::Key(key) => Ok(Some(key.clone())),
            Secret::Passphrase(text) if document.argon2id().is_some() => {
                document.kek_from_passphrase(text).map(Some)
            }
            Secret::Passphrase(_) => Ok(None),
        }
    }

    /// The key-encrypting key that this is to become.
    pub(crate) fn to_new(&self) -> Result<NewKek> {
        match &self.secret {
            Secret::Key(key) => NewKek::key(key.clone()),
            Secret::Passphrase(text) => {
                check_length(text, &self.from)?;
                let argon2id = Argon2id::generate(&mut OsEntropy)?;
                NewKek::derived(argon2id.derive(text)?, argon2id)
            }
        }
    }

    /// The id of a key-encrypting key. A passphrase becomes another one each time.
    pub(crate) fn key_id(&self) -> Option<KeyId> {
        match &self.secret {
            Secret::Key(key) => Some(key.id()),
            Secret::Passphrase(_) => None,
        }
    }

    /// Who gave it, and which key it is. A passphrase has no id that may be shown.
    pub(crate) fn described(&self) -> String {
        match &self.secret {
            Secret::Key(key) => format!("{} ({})", self.from, key.id()),
            Secret::Passphrase(_) => self.from.clone(),
        }
    }
}

/// That a new passphrase is long enough.
fn check_length(passphrase: &[u8], from: &str) -> Result<()> {
    NewKek::check_passphrase(passphrase)
        .map_err(|error| Error::new(error.code(), format!("{from}: {error}")))
}

/// A variable that counts; white space alone counts as not set.
pub(crate) fn variable(console: &mut Console<'_>, name: &str) -> Option<Zeroizing<String>> {
    let value = console.host.variable(name)?;
    (!value.trim_ascii().is_empty()).then_some(value)
}

/// Refuses what is no Unicode: U+FFFD stands for any byte of it, so that other secrets would be the same.
pub(crate) fn check_text(name: &str, value: &str) -> Result<()> {
    if !value.contains(char::REPLACEMENT_CHARACTER) {
        return Ok(());
    }
    let why = format!("the variable {name} is no text (UTF-8)");
    Err(Error::new(ErrorCode::SourceUnreadable, why))
}

/// A variable that names a file. Paths are shown, and a key in the place of one must not be.
pub(crate) fn path_variable(console: &mut Console<'_>, name: &str) -> Result<Option<String>> {
    let Some(path) = variable(console, name) else {
        return Ok(None);
    };
    if path.contains("rsk1.") {
        let why = format!("{name} holds a key, but is the path of a file: did you mean {KEK}?");
        return Err(Error::new(ErrorCode::SourceUnreadable, why));
    }
    Ok(Some(path.trim().to_owned()))
}

fn kek_file(console: &mut Console<'_>, path: &str, named_by: &str) -> Outcome<Given> {
    let text = text_file(console, path, named_by)?;
    Ok(Given::key(
        kek(&text, named_by)?,
        format!("{named_by} {path}"),
    ))
}

fn kek(text: &str, named_by: &str) -> Result<Key> {
    let key = key(text, named_by)?;
    if key.key_use() == KeyUse::Kek {
        return Ok(key);
    }
    Err(Error::new(
        ErrorCode::KeyWrongUse,
        format!(
            "{named_by} holds a key for another use (rsk1.{}.): a key-encrypting key (rsk1.kek.) is wanted",
            key.key_use().as_str()
        ),
    ))
}

/// A key text, and who named it in the message of what is wrong.
pub(crate) fn key(text: &str, named_by: &str) -> Result<Key> {
    Key::load(text).map_err(|error| match named_by {
        KEK if reseal::looks_like_path(text) => Error::new(
            error.code(),
            format!("{KEK} holds what looks like a path: did you mean {KEK_FILE}?"),
        ),
        _ => Error::new(error.code(), format!("{named_by}: {error}")),
    })
}

/// Of a file one final line feed is dropped, as sources do.
fn passphrase_file(console: &mut Console<'_>, path: &str, named_by: &str) -> Outcome<Given> {
    let text = text_file(console, path, named_by)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let from = format!("{named_by} {path}");
    Ok(Given::passphrase(
        Zeroizing::new(text.as_bytes().to_vec()),
        from,
    ))
}

/// A file with a secret that is text.
pub(crate) fn text_file(
    console: &mut Console<'_>,
    path: &str,
    named_by: &str,
) -> Outcome<Zeroizing<String>> {
    let bytes = console.host.read_secret(path, Some(named_by))?;
    let text = core::str::from_utf8(&bytes).map_err(|_| {
        Error::new(
            ErrorCode::SourceUnreadable,
            format!("{named_by}: the file is no text (UTF-8)"),
        )
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// How a passphrase is asked for: the question, and the option that asks.
type Ask = fn(&mut Console<'_>, &str, &str) -> Outcome<Zeroizing<Vec<u8>>>;

fn ask(console: &mut Console<'_>, question: &str, option: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    console.flush()?;
    let Some(answer) = console.host.ask_secret(question)? else {
        return usage(format!(
            "{option} asks at a terminal, and there is none: use {option}-file"
        ));
    };
    Ok(Zeroizing::new(answer.as_bytes().to_vec()))
}

/// Asked for twice, since nobody sees what is typed.
fn ask_new(console: &mut Console<'_>, question: &str, option: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    let first = ask(console, question, option)?;
    check_length(&first, option)?;
    check_typed(&first)?;
    let second = ask(console, "the same again: ", option)?;
    if first == second {
        return Ok(first);
    }
    usage("the two passphrases differ: nothing was changed")
}

/// What nobody sees, and another terminal makes something else of: an arrow key, say.
fn check_typed(passphrase: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(passphrase);
    if text.contains(char::is_control) {
        return usage(
            "a control character is in the new passphrase, as of an arrow key: type it once more without; nothing was changed",
        );
    }
    Ok(())
}
