//! The door of the command for Node: converts, calls the host in `wasm/ts/cli-host.ts`, maps errors.
//! Databases are in JavaScript as well: `wasm/ts/cli-session.ts` does what a session asks for.

mod cells;
pub mod host;
mod turns;

use std::alloc::System;

use js_sys::Array;
use reseal::{ErrorClass, ErrorCode, job::Ahead};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped, also what libraries work on: compression, JSON, numbers.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// One run of the command.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Session {
    inner: reseal_cli::Session<'static>,
    answers: turns::Answers,
    ahead: Option<Ahead>,
}

#[wasm_bindgen]
impl Session {
    /// The command with its arguments, without its name.
    #[wasm_bindgen(constructor)]
    pub fn new(args: Vec<String>, host: host::JsHost) -> Self {
        Self::of(reseal_cli::Session::new(args, Box::new(host::Door(host))))
    }

    /// A command that a program calls, with a JSON object of options.
    pub fn call(command: String, options: String, host: host::JsHost) -> Self {
        let host = Box::new(host::Door(host));
        Self::of(reseal_cli::Session::call(command, options, host))
    }

    /// What is to be done next, as [`turns`] tells. `what` and `value` are what came of the turn before.
    pub fn next(&mut self, what: &str, value: &JsValue) -> Array {
        let answer = self.answers.read(what, value);
        turns::written(self.inner.next(answer))
    }

    /// Whether there is work for the time that a query or an execution takes: [`Session::work_ahead`].
    #[wasm_bindgen(js_name = canWorkAhead)]
    pub fn can_work_ahead(&mut self) -> bool {
        self.ahead = self.inner.ahead();
        self.ahead.is_some()
    }

    /// Does that work.
    #[wasm_bindgen(js_name = workAhead)]
    pub fn work_ahead(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.run();
        }
    }

    fn of(inner: reseal_cli::Session<'static>) -> Self {
        let answers = turns::Answers::default();
        Self {
            inner,
            answers,
            ahead: None,
        }
    }
}

/// The class of an error, by its code; nothing for what is no code.
#[wasm_bindgen(js_name = errorClass)]
#[must_use]
pub fn error_class(code: &str) -> Option<String> {
    let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code)?;
    let name = match known.class() {
        ErrorClass::Decrypt => "DecryptError",
        ErrorClass::Keyring => "KeyringError",
        ErrorClass::Format => "FormatError",
        ErrorClass::Other => "ResealError",
    };
    Some(name.to_owned())
}
