//! A key goes when nothing is under it.

use reseal::job::Report;
use reseal::manifest::{CodecSpec, KeyringSource};
use reseal::{Error, ErrorCode, KeyId, KeyState};
use serde_json::json;

use super::Retirement;
use super::count::{codecs_of, keys_in};
use super::report::{Action, Ended, Retired, counted_values};
use super::ring::{KeysetPlace, Opener};
use super::target::{Known, pick};
use crate::commands::keyset::file::now;
use crate::console::shown;
use crate::failure::{Outcome, usage};
use crate::job::duration;
use crate::session::Turn;

/// Between two looks at the clock.
const PAUSE_MS: u64 = 1_000;
/// Between two lines of a log.
const LINES_SECONDS: u64 = 60;
/// The kinds whose values name no key.
const NO_KEY_SHOWN: [&str; 6] = [
    "fernet",
    "freeboard",
    "django-fernet",
    "fernet-fields",
    "django-cryptography",
    "sqlalchemy-utils",
];

impl Retirement<'_, '_> {
    /// Counts what is under a key, and disables it where it is in a keyset.
    pub(super) async fn key(&mut self, text: &str) -> Outcome<Retired> {
        let known = self.known().await?;
        let Some(id) = pick(text, known.iter().map(|it| it.id.as_str()))? else {
            return self.key_of_others(text).await;
        };
        let holders: Vec<Known> = known.into_iter().filter(|it| it.id == id).collect();
        if let Some(primary) = holders.iter().find(|it| it.state == KeyState::Primary) {
            return Err(seals(primary).into());
        }
        let mut places: Vec<KeysetPlace> = Vec::new();
        for place in holders
            .iter()
            .filter_map(|it| KeysetPlace::of(&it.codec, &it.source))
        {
            if places.iter().all(|there| there.path != place.path) {
                places.push(place);
            }
        }
        let is_closed = |it: &Known| matches!(it.state, KeyState::Disabled | KeyState::Destroyed);
        let codecs: Vec<String> = holders.iter().map(|it| it.codec.clone()).collect();
        match (places.pop(), holders.first()) {
            (Some(place), Some(holder))
                if places.is_empty() && !is_closed(holder) && self.unread.is_empty() =>
            {
                let id = KeyId::parse(&id)?;
                self.disable(id, place, &codecs).await
            }
            (_, Some(holder)) => self.counted(holder.clone(), &holders, &codecs).await,
            (_, None) => self.key_of_others(text).await,
        }
    }

    /// A key of another system, or one that no codec has: values show it, or nothing does.
    async fn key_of_others(&mut self, text: &str) -> Outcome<Retired> {
        let named = self.named().await?;
        let ids = || named.iter().map(|it| it.id.as_str());
        let picked = pick(text, ids())?;
        let mut written = named.iter().filter(|it| it.seals);
        if let Some(key) = written.find(|it| picked.as_ref() == Some(&it.id)) {
            return Err(key.in_use().into());
        }
        let Some(report) = self.census().await? else {
            return Ok(Retired::key(text).stopped());
        };
        let keys = keys_in(&report);
        let id = match pick(text, keys.iter().map(String::as_str).chain(ids()))? {
            Some(id) => id,
            None if KeyId::parse(text).is_ok() => text.to_owned(),
            None => return usage(self.no_such()),
        };
        let mut retired = Retired::key(&id);
        let codecs = codecs_of(&report, &id);
        self.note_left(&report, &id, &mut retired);
        let holders = named.into_iter().filter(|it| it.id == id);
        let holders: Vec<String> = holders.map(|it| it.codec).collect();
        self.note_unrecognized(&report, &holders, &mut retired);
        if retired.left.is_empty() && !holders.is_empty() {
            retired.verdict = format!("nothing is under the key {id}: it may go");
            let keep = "keep the key for as long as backups need it";
            retired.next.push(keep.to_owned());
            return Ok(retired);
        }
        if retired.left.is_empty() {
            if self.is_proved(&mut retired) {
                retired.verdict =
                    format!("nothing is under the key {id}: no codec has it, and it may go");
            }
            return Ok(retired);
        }
        in_use(&mut retired);
        let verdict = format!("{}, in {}", retired.verdict, shown(&codecs.join(", ")));
        retired.verdict = if codecs.is_empty() {
            retired.verdict
        } else {
            verdict
        };
        Ok(retired)
    }

    /// Whether a key may go that nothing is under: a codec whose keys are not known here may have it as well, and
    /// seal under it.
    fn is_proved(&self, retired: &mut Retired) -> bool {
        if self.unread.is_empty() {
            return true;
        }
        let (id, unread) = (&retired.target, self.unread.join(", "));
        retired.verdict = format!(
            "nothing is proved of the key {id}: nothing is under it, and the keys of {unread} are not known here"
        );
        retired.end = Ended::InUse;
        false
    }

    /// Nobody is told what was given: it may be a secret in the wrong place.
    fn no_such(&self) -> String {
        let codecs: Vec<&str> = self.manifest.codecs().map(CodecSpec::name).collect();
        let hidden = self.manifest.codecs();
        let hidden = hidden.filter(|it| NO_KEY_SHOWN.contains(&it.kind().as_str()));
        let hidden: Vec<&str> = hidden.map(CodecSpec::name).collect();
        let hint = match hidden.as_slice() {
            [] => String::new(),
            hidden => format!(
                "; values of {} do not show their key: retire the codec instead",
                hidden.join(", ")
            ),
        };
        format!(
            "there is no codec of this name, no key whose id begins so (4 characters or more), and no value that shows it: the codecs are {}",
            codecs.join(", ")
        ) + &hint
    }

    /// A key of a keyset that opens.
    async fn disable(
        &mut self,
        id: KeyId,
        place: KeysetPlace,
        codecs: &[String],
    ) -> Outcome<Retired> {
        let path = place.path.clone();
        let opener = self.opener(place).await?;
        let mut retired = Retired::key(&id.to_string());
        retired.keyset = Some(path.clone());
        let mut is_counted = false;
        loop {
            let loaded = self.open(&opener).await?;
            loaded.check_complete()?;
            let seconds = loaded.keyset.seals_for(id, now(self.console)?)?;
            retired.state = Some(loaded.key(id)?.state.as_str());
            if self.early || seconds == 0 {
                break;
            }
            // Nobody waits for a key that is not to go.
            if !is_counted && !self.is_free(codecs, &mut retired).await? {
                return Ok(retired);
            }
            if !core::mem::replace(&mut is_counted, true) {
                self.tell_places(&path)?;
            }
            if !self.wait(seconds).await? {
                return Ok(retired.stopped());
            }
        }
        if !self.is_free(codecs, &mut retired).await? {
            return Ok(retired);
        }
        if !is_counted {
            self.tell_places(&path)?;
        }
        self.change(&opener, |keyset, now| keyset.disable(id, now, false))
            .await?;
        let told = self.tell("disabled", id);
        let counted = self.is_free(codecs, &mut retired).await;
        if matches!(counted, Ok(true)) {
            told?;
            retired.action = Some(Action::Disabled);
            retired.state = Some(KeyState::Disabled.as_str());
            retired.verdict = format!("nothing is under the key {id}: it is disabled now");
            retired.next.push(format!(
                "once no backup needs the key: reseal keyset destroy {id} --keyset {}",
                shown(&path)
            ));
            return Ok(retired);
        }
        self.console.host.keep_on(true);
        self.enable_again(id, &opener).await?;
        told?;
        counted?;
        retired.action = Some(Action::EnabledAgain);
        retired.state = Some(KeyState::DecryptOnly.as_str());
        let why = if retired.end == Ended::Stopped {
            "stopped"
        } else {
            "somebody wrote while it was disabled, so some process still seals under it"
        };
        retired.verdict = format!("the key {id} is enabled again: {why}");
        Ok(retired)
    }

    /// Whether nothing is under a key; it is noted in the report what is.
    async fn is_free(&mut self, codecs: &[String], retired: &mut Retired) -> Outcome<bool> {
        let Some(report) = self.census().await? else {
            retired.end = Ended::Stopped;
            "stopped: nothing is changed; the same command begins anew"
                .clone_into(&mut retired.verdict);
            return Ok(false);
        };
        self.note(&report, codecs, retired);
        Ok(retired.left.is_empty())
    }

    fn note(&self, report: &Report, codecs: &[String], retired: &mut Retired) {
        retired.plain_unused.clear();
        retired.unrecognized.clear();
        let id = retired.target.clone();
        self.note_left(report, &id, retired);
        self.note_unrecognized(report, codecs, retired);
        if !retired.left.is_empty() {
            in_use(retired);
        }
    }

    async fn enable_again(&mut self, id: KeyId, opener: &Opener) -> Outcome {
        let enabled = self
            .change(opener, |keyset, now| keyset.enable(id, now))
            .await;
        if enabled.is_err() {
            let why = format!("the key {id} stays disabled: reseal keyset enable {id}");
            self.console.warning(&why)?;
        }
        enabled?;
        self.tell("enabled", id)
    }

    /// Waits; says no where it was asked to stop.
    async fn wait(&mut self, seconds: u64) -> Outcome<bool> {
        let mut left = seconds;
        let start = self.console.host.now();
        let mut told: Option<u64> = None;
        while left > 0 && !self.console.host.interrupted() {
            self.tell_wait(left, &mut told)?;
            let _waited = self.database.run(Turn::Sleep(PAUSE_MS)).await;
            let passed = self.console.host.now().saturating_sub(start);
            left = seconds.saturating_sub(passed);
        }
        if self.console.has_status() {
            self.console.status("")?;
        }
        Ok(left == 0)
    }

    fn tell_wait(&mut self, left: u64, told: &mut Option<u64>) -> Outcome {
        if self.console.is_json() {
            return self
                .console
                .event(&json!({"event": "waiting", "seconds_left": left}));
        }
        let text = format!(
            "waiting until a lease has passed since the key sealed: {} left",
            duration(left)
        );
        if self.console.has_status() {
            return self.console.status(&text);
        }
        if told.is_some_and(|told| told < left + LINES_SECONDS) {
            return Ok(());
        }
        *told = Some(left);
        self.console.say(&(text + "\n"))
    }

    /// Which database was counted, and which keyset is about to be changed: a copy of one goes with no other.
    fn tell_places(&mut self, path: &str) -> Outcome {
        let counted = shown(self.url.as_deref().unwrap_or("the database"));
        let path = shown(path);
        self.console
            .note(&format!("counted in {counted}; to be disabled in {path}"))
    }

    fn tell(&mut self, event: &str, id: KeyId) -> Outcome {
        if self.console.is_json() {
            let event = json!({"event": event, "key": id.to_string()});
            return self.console.event(&event);
        }
        self.console.note(&format!("the key {id} is {event}"))
    }

    /// A key that is only counted, and what is to be taken away then.
    async fn counted(
        &mut self,
        holder: Known,
        holders: &[Known],
        codecs: &[String],
    ) -> Outcome<Retired> {
        let mut retired = Retired::key(&holder.id);
        retired.state = Some(holder.state.as_str());
        let Some(report) = self.census().await? else {
            return Ok(retired.stopped());
        };
        self.note(&report, codecs, &mut retired);
        if retired.left.is_empty() {
            if self.is_proved(&mut retired) {
                retired.verdict = format!("nothing is under the key {}: it may go", holder.id);
                retired.next = holders.iter().filter_map(goes_from).collect();
                retired.next.dedup();
            }
            return Ok(retired);
        }
        if holder.state == KeyState::Disabled {
            let enable = format!("reseal keyset enable {}", holder.id);
            retired.next.insert(0, enable);
        }
        if holder.state == KeyState::Destroyed {
            retired.verdict = format!(
                "the key {} is destroyed: {}",
                holder.id, "what is under it never opens again"
            );
            retired.next.clear();
        }
        Ok(retired)
    }
}

fn seals(key: &Known) -> Error {
    let what = match key.key_use {
        Some(reseal::KeyUse::Index) => "makes the terms of blind indexes",
        _ => "seals",
    };
    let how = match &key.source {
        KeyringSource::Keyset { .. } => "promote another one first, with reseal keyset promote",
        KeyringSource::Directory { .. } if key.key_use == Some(reseal::KeyUse::Index) => {
            "name another file as index_primary in the manifest first"
        }
        KeyringSource::Directory { .. } => "name another file as primary in the manifest first",
        _ => "put another one into RESEAL_PRIMARY_KEY or RESEAL_INDEX_KEY first",
    };
    Error::new(
        ErrorCode::StillInUse,
        format!("the key {} of codecs.{} {what}: {how}", key.id, key.codec),
    )
}

/// Something is under it.
fn in_use(retired: &mut Retired) {
    retired.end = Ended::InUse;
    let of = |terms: bool| {
        let left = retired
            .left
            .iter()
            .filter(move |it| it.index.is_some() == terms);
        left.map(|it| it.values).sum::<u64>()
    };
    let (values, terms) = (of(false), of(true));
    let mut parts = Vec::new();
    retired.next.clear();
    if values > 0 {
        parts.push(counted_values(values));
        retired.next.push("reseal apply".to_owned());
    }
    let is_outside = retired.left.iter().any(|it| it.is_outside);
    if terms > 0 {
        parts.push(counted_values(terms).replace("value", "term"));
        retired.next = vec!["reseal apply --reindex".to_owned()];
    }
    if is_outside {
        let why =
            "describe in the manifest the rows that no where takes: reseal apply leaves them alone";
        retired.next.insert(0, why.to_owned());
    }
    retired.next.append(&mut retired.histories);
    retired.verdict = format!(
        "the key {} is still needed: {} under it",
        retired.target,
        parts.join(" and ")
    );
}

/// What a person takes away.
fn goes_from(key: &Known) -> Option<String> {
    let id = &key.id;
    Some(match (&key.source, key.state) {
        (_, KeyState::Destroyed) => return None,
        (KeyringSource::Keyset { path, .. }, KeyState::Disabled) => format!(
            "once no backup needs the key: reseal keyset destroy {id} --keyset {}",
            shown(path)
        ),
        (KeyringSource::Keyset { path, .. }, _) => {
            format!("reseal keyset disable {id} --keyset {}", shown(path))
        }
        (KeyringSource::Directory { path, .. }, _) => format!(
            "take the file {} away; keep the key for as long as backups need it",
            shown(&format!("{path}/{}", key.label))
        ),
        (_, KeyState::Introduced) => "take the key out of RESEAL_INTRODUCED_KEYS".to_owned(),
        _ => "take the key out of RESEAL_DECRYPT_KEYS; keep it for as long as backups need it"
            .to_owned(),
    })
}
