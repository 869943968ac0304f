//! `reseal completion`: scripts for shells.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::console::Console;
use crate::failure::Outcome;

const EXAMPLES: &str = "\
Examples:
  reseal completion bash >~/.local/share/bash-completion/completions/reseal
  reseal completion zsh >\"${fpath[1]}/_reseal\"
  reseal completion fish >~/.config/fish/completions/reseal.fish
";

/// Print the completion script of a shell
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionArgs {
    /// The shell
    shell: Shell,
}

impl CompletionArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "reseal", &mut script);
        console.raw(&script)
    }
}
