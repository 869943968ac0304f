//! The question before what cannot be taken back.

use crate::console::Console;
use crate::failure::{Outcome, usage};
use crate::host::Stream;

/// Goes on only if a person, or `--yes`, says so; `what` tells what is about to happen.
pub(crate) fn confirm(what: &str, is_answered: bool, console: &mut Console<'_>) -> Outcome {
    if is_answered {
        return Ok(());
    }
    if !console.host.is_terminal(Stream::Input) {
        return usage(format!(
            "{what}: this asks first, and there is no terminal to ask at, so give --yes"
        ));
    }
    console.flush()?;
    let question = format!("{what}. Type yes to go on: ");
    let answer = console.host.ask(&question)?;
    if answer.trim_ascii() == "yes" {
        return Ok(());
    }
    usage("not answered with yes: nothing was changed")
}
