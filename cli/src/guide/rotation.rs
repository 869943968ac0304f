//! The steps of a rotation: of keys of this project, and of those of other systems.

use reseal::codec::CodecKind;
use reseal::manifest::{CodecSpec, KeyringSource, Secrets};

use super::rings::RotatedRing;
use super::systems::RotatedSystem;
use super::{Guide, Step, add, titled};

const GROUP: &str = "Rotate";

impl Guide<'_> {
    pub(super) fn rotation(&self) -> Vec<Step> {
        let rings = self.rings();
        let foreign = self.foreign_writers();
        if rings.is_empty() && foreign.is_empty() {
            return Vec::new();
        }
        let mut steps = vec![
            self.introduced(&rings, &foreign),
            rolled("learns of the new key", &rings, &foreign),
            self.promoted(&rings, &foreign),
            rolled("seals under the new key", &rings, &foreign),
        ];
        steps.extend(self.applied(GROUP));
        let olds = rings.iter().flat_map(RotatedRing::olds);
        let olds = olds.chain(foreign.iter().map(RotatedSystem::old));
        steps.push(Step::new(
            &titled(GROUP, "retire"),
            "Proves that nothing is under the old key. A key of a keyset is disabled then, after a \
             lease has passed; whatever was overlooked is refused as key-disabled, and reseal \
             keyset enable brings it back.",
            olds.map(|old| self.command(&format!("retire {old}"))),
        ));
        steps.push(self.cleaned(&rings, &foreign));
        steps
    }

    fn introduced(&self, rings: &[RotatedRing], foreign: &[RotatedSystem<'_>]) -> Step {
        let mut why = "Every process has to know the new key before anything is sealed under it. \
                       Put a copy of it where your backups of keys are."
            .to_owned();
        for ring in rings {
            add(&mut why, &ring.introduced_by_hand());
        }
        for system in foreign {
            add(&mut why, &system.introduced_by_hand());
        }
        let mut commands: Vec<String> = rings.iter().flat_map(RotatedRing::introduce).collect();
        commands.extend(foreign.iter().filter_map(RotatedSystem::remembered));
        if !foreign.is_empty() {
            commands.push(self.check());
        }
        Step::new(&titled(GROUP, "introduce"), &why, commands)
    }

    fn promoted(&self, rings: &[RotatedRing], foreign: &[RotatedSystem<'_>]) -> Step {
        let mut why = "Now that every process knows it, the new key seals. The old one goes on \
                       opening."
            .to_owned();
        for ring in rings {
            add(&mut why, &ring.promoted_by_hand());
        }
        for system in foreign {
            add(&mut why, &system.promoted_by_hand());
        }
        let mut commands: Vec<String> = rings.iter().flat_map(RotatedRing::promote).collect();
        if !foreign.is_empty() {
            commands.push(self.check());
        }
        Step::new(&titled(GROUP, "promote"), &why, commands)
    }

    fn cleaned(&self, rings: &[RotatedRing], foreign: &[RotatedSystem<'_>]) -> Step {
        let mut why = "A backup that may have to be restored needs the key that sealed at its \
                       time: wait until no backup does."
            .to_owned();
        for ring in rings {
            add(&mut why, ring.gone_by_hand());
        }
        for system in foreign {
            add(&mut why, &system.gone_by_hand());
        }
        let retire = |old: &str| self.command(&format!("retire {old}"));
        let commands: Vec<String> = rings.iter().flat_map(|it| it.destroy(retire)).collect();
        if !commands.is_empty() {
            add(
                &mut why,
                "A key is counted once more before it is destroyed, since a process that was \
                 overlooked may have sealed under it. To destroy one asks first, and cannot be \
                 taken back.",
            );
        }
        Step::new(&titled(GROUP, "clean up"), &why, commands)
    }

    /// The rings under which columns seal or make terms; each once, where codecs share it.
    fn rings(&self) -> Vec<RotatedRing> {
        let mut rings: Vec<RotatedRing> = Vec::new();
        for codec in self.manifest.codecs() {
            let name = codec.name();
            let columns = self.manifest.columns().iter();
            let seals = columns.clone().any(|spec| spec.write == name);
            let makes_terms = columns
                .clone()
                .any(|spec| !spec.indexes.is_empty() && spec.index_codec() == Some(name));
            let Ok(Some(want)) = self.manifest.ring_of(name) else {
                continue;
            };
            let uses = [("data", seals), ("index", makes_terms)];
            let uses = uses
                .into_iter()
                .filter_map(|(of, is_used)| is_used.then_some(of));
            let uses: Vec<&'static str> = uses.collect();
            if uses.is_empty() {
                continue;
            }
            if let Some(there) = rings.iter_mut().find(|it| it.source == want.source) {
                let more = uses.into_iter().filter(|of| !there.uses.contains(of));
                let more: Vec<&'static str> = more.collect();
                there.uses.extend(more);
                continue;
            }
            rings.push(RotatedRing {
                codec: name.to_owned(),
                paths: self.paths_of(&want.source),
                source: want.source,
                uses,
                is_only: true,
            });
        }
        let is_only = rings.len() < 2;
        for ring in &mut rings {
            ring.is_only = is_only;
        }
        rings
    }

    /// Codecs of other systems that columns write.
    fn foreign_writers(&self) -> Vec<RotatedSystem<'_>> {
        let is_foreign =
            |it: &&CodecSpec| !matches!(it.kind(), CodecKind::Plain | CodecKind::Reseal);
        let codecs = self.manifest.codecs().filter(is_foreign);
        let writers = codecs.filter_map(|codec| {
            let columns = self.columns(|spec| spec.write == codec.name());
            (!columns.is_empty()).then(|| RotatedSystem {
                codec,
                columns,
                primary: self.primary_of(codec.name()),
                is_only: true,
            })
        });
        let mut writers: Vec<RotatedSystem<'_>> = writers.collect();
        let named = writers.iter().filter(|it| it.primary.is_some());
        let is_only = named.count() < 2;
        for system in &mut writers {
            system.is_only = is_only;
        }
        writers
    }

    /// The variables that say where the keys of the environment are.
    fn paths_of(&self, source: &KeyringSource) -> Vec<&'static str> {
        match source {
            KeyringSource::Env => self.paths.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The id of the key that a codec writes under, where the manifest itself has it.
    fn primary_of(&self, codec: &str) -> Option<String> {
        let keys = self.manifest.named_keys(codec, &Secrets::new());
        let mut keys = keys.unwrap_or_default().into_iter();
        keys.find(|key| key.is_primary).map(|key| key.id)
    }
}

/// A ring that is not live reads its keys once, and no lease ends that.
fn rolled(what: &str, rings: &[RotatedRing], foreign: &[RotatedSystem<'_>]) -> Step {
    let mut why = format!("Restart every process, so that each one {what}.");
    let mut sources = rings.iter().map(|ring| &ring.source);
    if foreign.is_empty() && sources.all(|it| matches!(it, KeyringSource::Keyset { .. })) {
        add(
            &mut why,
            "Only one with a LiveKeyring may be left running: wait for the lease of the keyset, \
             which reseal keyset show prints, or for ten seconds where it has none.",
        );
    }
    Step::new(&titled(GROUP, "roll"), &why, [])
}
