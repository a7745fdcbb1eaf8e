//! What can go wrong with a bundle, a module or an evaluation, one variant for each cause.
//!
//! None of the messages holds a value of the input: they may be logged.

/// Why bytes are not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Neither gzip nor a WebAssembly module.
    #[error("this is neither a gzipped bundle nor a WebAssembly module")]
    UnknownFormat,
    /// The bytes as read exceed the bound.
    #[error("the bundle has {bytes} bytes, more than {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The unpacked content exceeds the bound.
    #[error("the bundle unpacks to more than {bytes_max} bytes")]
    UnpacksTooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// The module exceeds the bound: compiling it would take too long.
    #[error("the module has more than {bytes_max} bytes")]
    ModuleTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// The data documents exceed the bound.
    #[error("the data documents have more than {bytes_max} bytes")]
    DataTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// More entries than the bound.
    #[error("the bundle has more than {entries_max} entries")]
    TooManyEntries {
        /// The bound.
        entries_max: usize,
    },
    /// Truncated, or not a tar archive in gzip.
    #[error("the bundle cannot be unpacked: {cause}")]
    Unreadable {
        /// What the reader says.
        cause: String,
    },
    /// A link, a device or another entry that is neither file nor directory.
    #[error("`{path}` is neither a file nor a directory")]
    NotAFile {
        /// The entry.
        path: String,
    },
    /// A path with `..`, a second leading `/`, an empty part or bytes that are not UTF-8.
    #[error("`{path}` is not a path inside the bundle")]
    UnsafePath {
        /// The entry, as far as it can be shown.
        path: String,
    },
    /// The same file twice.
    #[error("`{path}` is in the bundle twice")]
    Duplicate {
        /// The entry.
        path: String,
    },
    /// No module.
    #[error("the bundle has no policy.wasm; compile it with `opa build -t wasm`")]
    NoModule,
    /// A second module.
    #[error("the bundle has two modules, `{first}` and `{second}`; one is supported")]
    TwoModules {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// A `data.json` or the manifest is not what it should be.
    #[error("`{path}`: {cause}")]
    BadDocument {
        /// The file.
        path: String,
        /// Line and column of the fault, or what is wrong.
        cause: String,
    },
    /// Data of one file would replace that of another.
    #[error("`{path}`: the data document has `{key}` already")]
    DataConflict {
        /// The file.
        path: String,
        /// The key both have.
        key: String,
    },
    /// Data outside the manifest's roots.
    #[error("data at `{path}` lies outside the manifest's roots")]
    OutsideRoots {
        /// Where the data stands.
        path: String,
    },
    /// A file whose name only looks like one that is read.
    #[error("`{path}` is not read, though `{meant}` would be: names are taken letter for letter")]
    Miscased {
        /// The entry.
        path: String,
        /// The name that it resembles.
        meant: String,
    },
    /// The signature is missing, or does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Why a bundle's signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A signature is asked for.
    #[error("the bundle is not signed, and `policy.verify` asks for a signature")]
    Missing,
    /// A signature is there that nobody can judge.
    #[error("the bundle is signed, and `policy.verify` has no key to verify it with")]
    NoKeys,
    /// It is not what OPA writes.
    #[error("`.signatures.json`: {cause}")]
    Malformed {
        /// What is wrong.
        cause: String,
    },
    /// It was made in a way that only a plugin knows.
    #[error("the bundle is signed by a plugin, which is not supported")]
    Plugin,
    /// It names none of several keys.
    #[error("the signature names no key, and several are configured")]
    NoKeyId,
    /// It names a key that is not configured.
    #[error("the signature is by key `{id}`, which is not configured")]
    UnknownKey {
        /// The name.
        id: String,
    },
    /// It says that it was made in another way than the key is for.
    #[error("the signature is not made with {configured}, which key `{key}` is for")]
    OtherAlgorithm {
        /// The configured key.
        key: String,
        /// Its algorithm.
        configured: &'static str,
    },
    /// The key did not make it, or not over this.
    #[error("the signature is not one of key `{key}` over this list of files")]
    Forged {
        /// The configured key.
        key: String,
    },
    /// It is good for something else.
    #[error("the signature is not for the scope `{configured}`")]
    OtherScope {
        /// The configured one.
        configured: String,
    },
    /// Two hashes for one file.
    #[error("`{path}` is signed twice")]
    ListedTwice {
        /// The file.
        path: String,
    },
    /// A file was added.
    #[error("`{path}` is in the bundle and not signed")]
    Unlisted {
        /// The file.
        path: String,
    },
    /// A file was taken away.
    #[error("`{path}` is signed and not in the bundle")]
    Absent {
        /// The file.
        path: String,
    },
    /// A file was changed.
    #[error("`{path}` is not what was signed")]
    Changed {
        /// The file.
        path: String,
    },
    /// A hash that can be forged, or is not known.
    #[error("`{path}` is signed by a hash that is not supported; use SHA-256")]
    UnknownHash {
        /// The file.
        path: String,
    },
    /// A document that cannot be read, so that it has no hash.
    #[error("`{path}` is not JSON")]
    NotJson {
        /// The file.
        path: String,
    },
}

/// Why a bundle cannot be activated.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The WebAssembly engine does not work on this machine.
    #[error("the WebAssembly engine does not start: {cause}")]
    Engine {
        /// What it says.
        cause: String,
    },
    /// The module does not compile.
    #[error("policy.wasm is not a valid WebAssembly module: {cause}")]
    NotWasm {
        /// What the compiler says.
        cause: String,
    },
    /// The module wants something from the host that OPA's ABI does not have.
    #[error("the module imports `{module}.{name}`, which is not part of OPA's ABI")]
    UnknownImport {
        /// Import module.
        module: String,
        /// Import name.
        name: String,
    },
    /// The module lacks an export of OPA's ABI, or has it with another type.
    #[error("the module does not export `{name}` as OPA's ABI has it")]
    MissingExport {
        /// The export.
        name: &'static str,
    },
    /// An ABI version other than 1.2 and 1.3.
    #[error("the module speaks OPA's ABI {major}.{minor}; 1.2 and 1.3 are supported (OPA 0.35 and later)")]
    WrongAbi {
        /// Major version.
        major: i32,
        /// Minor version.
        minor: i32,
    },
    /// The module needs more memory to begin with than it may have.
    #[error("the module asks for {bytes} bytes of memory to begin with; memory_max is {bytes_max}")]
    MemoryTooLarge {
        /// What it asks for.
        bytes: u64,
        /// What it may have.
        bytes_max: u64,
    },
    /// The entrypoint is not compiled into the module.
    #[error("entrypoint `{wanted}` is not in the bundle, which has {}", listed(.offered))]
    NoEntrypoint {
        /// The configured one.
        wanted: String,
        /// Those that are there.
        offered: Vec<String>,
    },
    /// The manifest promises an entrypoint that the module does not have.
    #[error("`.manifest` lists the entrypoint `{listed}`, which the module does not have")]
    PromisedEntrypoint {
        /// The listed one.
        listed: String,
    },
    /// A builtin that is refused on purpose.
    #[error("the policy calls `{name}`, which is refused: {reason}")]
    RefusedBuiltin {
        /// The builtin.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A builtin that this host does not have.
    #[error("the policy calls `{name}`, which this host does not offer")]
    UnknownBuiltin {
        /// The builtin.
        name: String,
    },
    /// The module fails while it is set up: start function, data, tables.
    #[error("the module cannot be set up: {0}")]
    Setup(#[from] EvalError),
}

/// Why an evaluation gave no decision. Every variant is a refusal of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The policy called `opa_abort`: conflicting rules, or a builtin that halts.
    #[error("the policy aborted the evaluation")]
    Aborted {
        /// OPA's words, for the operator: file, line and cause.
        message: String,
    },
    /// The module ran into a WebAssembly trap or broke the ABI.
    #[error("the policy trapped: {cause}")]
    Trapped {
        /// The kind of trap.
        cause: String,
    },
    /// The time of one evaluation is used up.
    #[error("the policy did not finish within {time_max_ms} ms")]
    TimedOut {
        /// The bound.
        time_max_ms: u64,
    },
    /// The memory of one instance is used up.
    #[error("the policy needs more than {bytes_max} bytes of memory")]
    OutOfMemory {
        /// The bound.
        bytes_max: usize,
    },
    /// The input document is larger than the policy may be given.
    #[error("the policy's input is larger than {bytes_max} bytes")]
    InputTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// The input document has more of something than the policy may be given.
    #[error("the policy's input has more than {max} {unit}")]
    InputBeyond {
        /// What there is too much of.
        unit: &'static str,
        /// The bound.
        max: usize,
    },
    /// The input document is not JSON; only tools can give such a one.
    #[error("the policy's input is not JSON: {cause}")]
    InputNotJson {
        /// Line and column of the fault.
        cause: String,
    },
    /// The result is larger than a decision may be.
    #[error("the policy's result is larger than {bytes_max} bytes")]
    ResultTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// The result is neither a boolean nor an object of the decision's form.
    #[error("the policy's result is not a decision: {what}")]
    NotADecision {
        /// The fault, naming the key.
        what: String,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
