//! What the library calls by its own names, as this command calls it.

/// The words of the library, and those of the command.
const WORDS: [(&str, &str); 11] = [
    (
        "make a key with Key.generate",
        "make a key with reseal keys new",
    ),
    ("or ask for it explicitly (early)", "or give --early"),
    (
        "promote it on explicit request (early)",
        "promote it with --early",
    ),
    ("on explicit request only (back)", "with --back only"),
    (
        "on explicit request only (emergency)",
        "with --emergency only",
    ),
    ("save the keyset and wait", "wait"),
    ("batch_rows is", "--batch is"),
    ("max_passes is", "--max-passes is"),
    ("rows_per_second is", "--rate is"),
    ("sample_one_in is", "--sample is"),
    (
        "load it, and try again",
        "nothing was changed: run the command again",
    ),
];

/// A message, with the options of the command in it.
pub(crate) fn of_command(message: &str) -> String {
    let mut message = message.to_owned();
    for (library, command) in WORDS {
        message = message.replace(library, command);
    }
    message
}
