//! The rehearsal: with copies of the keys, so that it changes none of those that are in use.

use reseal::job::KeysetRow;
use reseal::manifest::{KeyringSource, RingWant, WantKind};

use super::shell::quoted;
use super::{Guide, Step, add, naming};

/// What the name of a copy begins with.
const COPY: &str = "rehearsal-";

/// Keys that the manifest names by a path.
struct Kept {
    /// What stands before the path in the manifest, as `sed` finds it.
    before: &'static str,
    path: String,
    is_directory: bool,
}

impl Guide<'_> {
    pub(super) fn rehearsal(&self) -> Step {
        let kept = self.kept();
        let copied = if kept.is_empty() {
            "These commands copy the manifest"
        } else {
            "These commands copy the manifest and the keys that it names, so that nothing there \
             changes a key of production"
        };
        let mut why = format!(
            "Only real data shows what does not open, and which column is too short. In a shell of \
             its own, restore the backup into a staging database, and set RESEAL_DATABASE_URL to \
             it. {copied}, and the last one prints the steps for the copies: go through those in \
             that shell, from the third on, and see that all that they change is a copy. Then leave \
             that shell, remove the copies, and do the same here, in production."
        );
        let is_of_environment = |ring: &RingWant| ring.source == KeyringSource::Env;
        let has_one = self.manifest.rings().iter().any(is_of_environment);
        let places = self.paths.iter().filter(|name| !name.ends_with("_FILE"));
        for name in places.filter(|_| has_one) {
            let sentence = format!("In that shell {name} has to name a copy as well.");
            add(&mut why, &sentence);
        }
        let manifest = copy_of(self.path);
        let named = naming(&manifest);
        let mut commands: Vec<String> = kept.iter().map(Kept::copied).collect();
        commands.push(self.manifest_copied(&kept, &manifest));
        commands.push(format!("reseal manifest check {}", quoted(&manifest)));
        let words = ["census", "plan", "apply --dry-run", "guide"];
        commands.extend(words.map(|words| format!("reseal {words}{named}")));
        Step::new("Rehearse on staging", &why, commands)
    }

    /// Those in a database are part of its backup.
    fn kept(&self) -> Vec<Kept> {
        let rings = self.manifest.rings().into_iter();
        let rings = rings.filter_map(|ring| match ring.source {
            KeyringSource::Keyset { path, .. } if KeysetRow::ring_in(&path).is_none() => {
                Some(Kept {
                    before: "keyset:",
                    path,
                    is_directory: false,
                })
            }
            KeyringSource::Directory { path, .. } => Some(Kept {
                before: "dir:",
                path,
                is_directory: true,
            }),
            _ => None,
        });
        let wants = self.manifest.wants().into_iter();
        let directories = wants.filter(|want| want.kind == WantKind::Directory);
        let directories = directories.map(|want| Kept {
            // Up to the quote.
            before: "key_dir *= *.",
            path: want.name,
            is_directory: true,
        });
        let mut kept: Vec<Kept> = Vec::new();
        for one in rings.chain(directories) {
            let is_it = |it: &Kept| (it.before, &it.path) == (one.before, &one.path);
            if !kept.iter().any(is_it) {
                kept.push(one);
            }
        }
        kept
    }

    /// The manifest that names the copies.
    fn manifest_copied(&self, kept: &[Kept], copy: &str) -> String {
        let (from, to) = (quoted(self.path), quoted(copy));
        if kept.is_empty() {
            return format!("cp {from} {to}");
        }
        let scripts: Vec<String> = kept.iter().map(Kept::script).collect();
        format!("sed {} {from} >{to}", scripts.join(" "))
    }
}

impl Kept {
    fn path(&self) -> &str {
        match self.path.trim_end_matches('/') {
            "" => &self.path,
            path => path,
        }
    }

    fn copied(&self) -> String {
        let copy = quoted(&copy_of(self.path()));
        if !self.is_directory {
            return format!("cp {} {copy}", quoted(self.path()));
        }
        // What is behind links, and into no copy of before.
        let inside = quoted(&format!("{}/.", self.path()));
        format!("mkdir -m 700 {copy} && cp -RL {inside} {copy}")
    }

    fn script(&self) -> String {
        let path = escaped(self.path(), r"\.*[]^$|");
        let copy = escaped(&copy_of(self.path()), r"\&|");
        let script = format!(r"s|\({}\){path}|\1{copy}|g", self.before);
        format!("-e {}", quoted(&script))
    }
}

/// Beside what it is a copy of.
fn copy_of(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{COPY}{name}"),
        None => format!("{COPY}{path}"),
    }
}

fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn a_copy_stands_beside_what_it_is_of() {
        let kept = |path: &str| Kept {
            before: "dir:",
            path: path.to_owned(),
            is_directory: true,
        };
        let keys = kept("/etc/my keys.d/");
        assert_eq!(
            keys.copied(),
            "mkdir -m 700 '/etc/rehearsal-my keys.d' && cp -RL '/etc/my keys.d/.' '/etc/rehearsal-my keys.d'"
        );
        assert_eq!(
            keys.script(),
            r"-e 's|\(dir:\)/etc/my keys\.d|\1/etc/rehearsal-my keys.d|g'"
        );
        let odd = r"-e 's|\(dir:\)a\|b&|\1rehearsal-a\|b\&|g'";
        assert_eq!(kept("a|b&").script(), odd);
    }
}
