//! The host of the command, which JavaScript implements.

use js_sys::{Array, Reflect, Uint8Array};
use reseal::{Error, ErrorCode, SourceFile, Zeroizing};
use reseal_cli::{FileFacts, FileKind, Host, HostFailure, HostResult, Stream};
use wasm_bindgen::prelude::{JsCast as _, JsValue, wasm_bindgen};

type JsResult<T> = Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    /// The object that does what only JavaScript can do.
    #[derive(Debug)]
    pub type JsHost;

    #[wasm_bindgen(method)]
    fn variable(this: &JsHost, name: &str) -> Option<String>;
    #[wasm_bindgen(method, js_name = variableNames)]
    fn variable_names(this: &JsHost) -> Vec<String>;
    #[wasm_bindgen(method, catch, js_name = readSecret)]
    fn read_secret(this: &JsHost, path: &str, named_by: Option<&str>) -> JsResult<Vec<u8>>;
    #[wasm_bindgen(method, catch, js_name = readKeyDirectory)]
    fn read_key_directory(this: &JsHost, path: &str, named_by: &str) -> JsResult<Array>;
    #[wasm_bindgen(method, catch, js_name = fileFacts)]
    fn file_facts(this: &JsHost, path: &str) -> JsResult<Option<Vec<f64>>>;
    #[wasm_bindgen(method, catch, js_name = readKeyset)]
    fn read_keyset(this: &JsHost, path: &str, named_by: Option<&str>) -> JsResult<Vec<u8>>;
    #[wasm_bindgen(method, catch, js_name = readBeginning)]
    fn read_beginning(this: &JsHost, path: &str) -> JsResult<Vec<u8>>;
    #[wasm_bindgen(method, catch, js_name = saveKeyset)]
    fn save_keyset(
        this: &JsHost,
        path: &str,
        loaded: Option<Uint8Array>,
        document: &str,
    ) -> JsResult<()>;
    #[wasm_bindgen(method, catch, js_name = createPrivateFile)]
    fn create_private_file(this: &JsHost, path: &str, content: &[u8]) -> JsResult<()>;
    #[wasm_bindgen(method, catch, js_name = saveFile)]
    fn save_file(this: &JsHost, path: &str, content: &[u8]) -> JsResult<()>;
    #[wasm_bindgen(method, catch, js_name = appendFile)]
    fn append_file(this: &JsHost, path: &str, content: &[u8], is_new: bool) -> JsResult<()>;
    #[wasm_bindgen(method, catch, js_name = readInput)]
    fn read_input(this: &JsHost) -> JsResult<Vec<u8>>;
    #[wasm_bindgen(method, js_name = isTerminal)]
    fn is_terminal(this: &JsHost, stream: u8) -> bool;
    #[wasm_bindgen(method, catch, js_name = askSecret)]
    fn ask_secret(this: &JsHost, question: &str) -> JsResult<Option<String>>;
    #[wasm_bindgen(method, catch)]
    fn ask(this: &JsHost, question: &str) -> JsResult<String>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &JsHost, stream: u8, bytes: &[u8]) -> JsResult<()>;
    #[wasm_bindgen(method, js_name = losesOutput)]
    fn loses_output(this: &JsHost) -> bool;
    #[wasm_bindgen(method, js_name = takeWarnings)]
    fn take_warnings(this: &JsHost) -> Vec<String>;
    #[wasm_bindgen(method, catch, js_name = startWorker)]
    fn start_worker(this: &JsHost, arguments: Vec<String>, database: Option<&str>) -> JsResult<()>;
    #[wasm_bindgen(method, js_name = endedWorkers)]
    fn ended_workers(this: &JsHost) -> Vec<u8>;
    #[wasm_bindgen(method, js_name = stopWorkers)]
    fn stop_workers(this: &JsHost);
    #[wasm_bindgen(method)]
    fn interrupted(this: &JsHost) -> bool;
    #[wasm_bindgen(method)]
    fn milliseconds(this: &JsHost) -> f64;
    #[wasm_bindgen(method)]
    fn now(this: &JsHost) -> f64;
}

/// That object, as the command sees it.
#[derive(Debug)]
pub(crate) struct Door(pub(crate) JsHost);

impl Host for Door {
    fn variable(&mut self, name: &str) -> Option<Zeroizing<String>> {
        self.0.variable(name).map(Zeroizing::new)
    }

    fn variable_names(&mut self) -> Vec<String> {
        self.0.variable_names()
    }

    fn read_secret(
        &mut self,
        path: &str,
        named_by: Option<&str>,
    ) -> HostResult<Zeroizing<Vec<u8>>> {
        let content = self.0.read_secret(path, named_by).map_err(failure)?;
        Ok(Zeroizing::new(content))
    }

    fn read_key_directory(&mut self, path: &str, named_by: &str) -> HostResult<Vec<SourceFile>> {
        let files = self.0.read_key_directory(path, named_by);
        let files = files.map_err(failure)?;
        Ok(files.iter().filter_map(|file| pair(&file)).collect())
    }

    fn file_facts(&mut self, path: &str) -> HostResult<Option<FileFacts>> {
        let numbers = self.0.file_facts(path).map_err(failure)?;
        Ok(numbers.and_then(|numbers| facts(&numbers)))
    }

    fn read_keyset(&mut self, path: &str, named_by: Option<&str>) -> HostResult<Vec<u8>> {
        self.0.read_keyset(path, named_by).map_err(failure)
    }

    fn read_beginning(&mut self, path: &str) -> HostResult<Vec<u8>> {
        self.0.read_beginning(path).map_err(failure)
    }

    fn save_keyset(&mut self, path: &str, loaded: Option<&[u8]>, document: &str) -> HostResult<()> {
        let loaded = loaded.map(Uint8Array::from);
        self.0.save_keyset(path, loaded, document).map_err(failure)
    }

    fn create_private_file(&mut self, path: &str, content: &[u8]) -> HostResult<()> {
        self.0.create_private_file(path, content).map_err(failure)
    }

    fn save_file(&mut self, path: &str, content: &[u8]) -> HostResult<()> {
        self.0.save_file(path, content).map_err(failure)
    }

    fn append_file(&mut self, path: &str, content: &[u8], is_new: bool) -> HostResult<()> {
        self.0.append_file(path, content, is_new).map_err(failure)
    }

    fn read_input(&mut self) -> HostResult<Zeroizing<Vec<u8>>> {
        self.0.read_input().map(Zeroizing::new).map_err(failure)
    }

    fn is_terminal(&mut self, stream: Stream) -> bool {
        self.0.is_terminal(number(stream))
    }

    fn ask_secret(&mut self, question: &str) -> HostResult<Option<Zeroizing<String>>> {
        let answer = self.0.ask_secret(question).map_err(failure)?;
        Ok(answer.map(Zeroizing::new))
    }

    fn ask(&mut self, question: &str) -> HostResult<String> {
        self.0.ask(question).map_err(failure)
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> HostResult<()> {
        self.0.write(number(stream), bytes).map_err(failure)
    }

    fn loses_output(&mut self) -> bool {
        self.0.loses_output()
    }

    fn take_warnings(&mut self) -> Vec<String> {
        self.0.take_warnings()
    }

    fn start_worker(&mut self, arguments: &[String], database: Option<&str>) -> HostResult<()> {
        let started = self.0.start_worker(arguments.to_vec(), database);
        started.map_err(failure)
    }

    fn ended_workers(&mut self) -> Vec<u8> {
        self.0.ended_workers()
    }

    fn stop_workers(&mut self) {
        self.0.stop_workers();
    }

    fn interrupted(&mut self) -> bool {
        self.0.interrupted()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "JavaScript's clock counts up from 0"
    )]
    fn milliseconds(&mut self) -> u64 {
        self.0.milliseconds() as u64
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "JavaScript's clock gives whole seconds after 1970"
    )]
    fn now(&mut self) -> u64 {
        self.0.now() as u64
    }
}

/// The descriptor of a stream.
const fn number(stream: Stream) -> u8 {
    match stream {
        Stream::Input => 0,
        Stream::Output => 1,
        Stream::Errors => 2,
    }
}

/// A name and a content.
fn pair(file: &JsValue) -> Option<SourceFile> {
    let pair: &Array = file.dyn_ref()?;
    let content: Uint8Array = pair.get(1).dyn_into().ok()?;
    Some(SourceFile {
        name: pair.get(0).as_string()?,
        content: Zeroizing::new(content.to_vec()),
    })
}

/// Kind (0 file, 1 directory, 2 other), link, mode (-1 for none), seconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mode has nine bits, a time is after 1970"
)]
fn facts(numbers: &[f64]) -> Option<FileFacts> {
    let [kind, is_link, mode, modified] = *numbers.first_chunk()?;
    Some(FileFacts {
        kind: match kind as u8 {
            0 => FileKind::File,
            1 => FileKind::Directory,
            _ => FileKind::Other,
        },
        is_link: is_link != 0.0,
        mode: (mode >= 0.0).then_some(mode as u32),
        modified: modified as u64,
    })
}

/// What was thrown: an error of the package, a stream that failed, or what ends the command.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that map_err wants"
)]
fn failure(thrown: JsValue) -> HostFailure {
    let text = |name: &str| Reflect::get(&thrown, &name.into()).ok()?.as_string();
    let code = text("code");
    let known = ErrorCode::ALL
        .iter()
        .find(|known| Some(known.as_str()) == code.as_deref());
    match (known, text("stream")) {
        (Some(code), _) => Error::new(*code, text("message").unwrap_or_default()).into(),
        (None, Some(message)) => HostFailure::Stream(message),
        (None, None) => HostFailure::Stopped,
    }
}
