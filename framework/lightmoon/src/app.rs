//! A game as a program: verbs, settings, and what is said at start and end.
//!
//! *Responsible for*: [`App`], from a command line to an exit code. *Not responsible for*: running the server (`serve`).
//!
//! Invariants:
//! - I1: whatever goes wrong is one sentence on stderr that says what to do, and exit code 1, or 2 for wrong arguments. A
//!   parent leaves the sentence to its child, and ends with the child's code.

use crate::auth::{TOKEN, TOKEN_VERB, run_token_verb};
use crate::config::{self, Asked, VerbGrammar};
use crate::console::ConsolePage;
use crate::extension::{Extension, Verb};
use crate::folder::write_whole;
use crate::io::Signals;
use crate::options::{SERVE, ServeOptions};
use crate::serve::{Plan, Running};
use crate::setting::{Given, Setting, Settings};
use crate::supervise::{self, Supervised};
use crate::web::{Assets, Page};
use crate::{Failure, clock};
use lightmoon_node::Game;
use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Verbs that every game has.
const SERVE_VERB: (&str, &str) = ("serve", "runs the server");
const CONTRACTS_VERB: (&str, &str) =
    ("contracts", "writes the game's contracts as JSON, for tools that generate code");

/// The settings of `contracts`.
const CONTRACTS: &[Setting] = &[
    Setting { name: "out", value: "FILE", default: "", help: "File to write; without it, stdout" },
    Setting {
        name: "lock",
        value: "FILE",
        default: "",
        help: "A contracts.lock to bring up to date: what is written is then an object of the new `lock` and the `descriptor`",
    },
];

/// A game's program: the server and whatever verbs the game adds.
///
/// ```no_run
/// # use lightmoon::{App, Game};
/// # fn game() -> Game { unimplemented!() }
/// fn main() -> std::process::ExitCode {
///     App::new(game()).title("My game").run()
/// }
/// ```
pub struct App {
    game: Game,
    title: String,
    version: &'static str,
    page: Option<Page>,
    console_pages: Vec<ConsolePage>,
    verbs: Vec<Box<dyn Verb>>,
    extensions: Vec<Box<dyn Extension>>,
}

impl App {
    /// A program that serves `game`.
    #[must_use]
    pub fn new(game: Game) -> Self {
        Self {
            game,
            title: "Lightmoon game".to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            page: None,
            console_pages: Vec::new(),
            verbs: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The game's name, as people read it. Default "Lightmoon game".
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The game's version; usually `env!("CARGO_PKG_VERSION")`. Default: Lightmoon's.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Serves the files of `A` as the game's page.
    #[must_use]
    pub fn page<A: Assets>(mut self) -> Self {
        self.page = Some(Page::of::<A>());
        self
    }

    /// Adds a page to the console, beside those that every game has.
    ///
    /// # Panics
    /// There is one of this name already.
    #[must_use]
    pub fn console_page(mut self, page: ConsolePage) -> Self {
        let is_new = self.console_pages.iter().all(|other| other.name != page.name);
        assert!(is_new, "two pages of the console are named `{}`", page.name);
        self.console_pages.push(page);
        self
    }

    /// Adds a verb to the command line.
    #[must_use]
    pub fn verb(mut self, verb: impl Verb + 'static) -> Self {
        self.verbs.push(Box::new(verb));
        self
    }

    /// Adds something that runs beside the server, and its settings to `serve`.
    #[must_use]
    pub fn extension(mut self, extension: impl Extension + 'static) -> Self {
        self.extensions.push(Box::new(extension));
        self
    }

    /// The settings that `serve` knows: everybody's and those of the extensions, with their defaults.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::defaults(&self.serve_table())
    }

    /// Does what the process's command line says and returns the process's exit code: 0, 1 for a failure, 2 for wrong
    /// arguments. Runs on the main thread until the work is done.
    ///
    /// `serve` runs the node in a child process, which is this program again: with the same arguments and one more that
    /// marks it. So what `main` does before this call, it does in both. `--supervise off` serves in this process.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.obey(std::env::args_os()) {
            Ok(code) => ExitCode::from(code),
            Err(failure) => {
                // If stderr is closed nobody can be told; the exit code still tells.
                let _ = writeln!(std::io::stderr(), "error: {failure}");
                failure.exit_code()
            }
        }
    }

    /// Starts the server in this process and returns when every port listens, without watching signals. For tests and
    /// programs that contain a server. Extensions are not called.
    ///
    /// # Errors
    /// A value is not good, a port or the folder is taken, or the game's definition does not fit together.
    pub fn start(self, settings: &Settings) -> Result<Running, Failure> {
        Running::start(self.plan(Signals::Ignored, None).0, settings)
    }

    /// The exit code.
    fn obey(self, arguments: impl IntoIterator<Item = OsString>) -> Result<u8, Failure> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let supervised = Supervised::enter(&mut arguments)?;
        let serve = self.serve_table();
        let tables: Vec<Vec<Setting>> = self.verbs.iter().map(|verb| verb.settings()).collect();
        let own = [(SERVE_VERB, serve.as_slice()), (CONTRACTS_VERB, CONTRACTS), (TOKEN_VERB, TOKEN)];
        let mut grammar = own.map(|((name, about), table)| VerbGrammar { name, about, table }).to_vec();
        let verbs = self.verbs.iter().zip(&tables);
        grammar.extend(verbs.map(|(verb, table)| VerbGrammar {
            name: verb.name(),
            about: verb.about(),
            table,
        }));
        let (name, flags, print_config) =
            match config::arguments(&self.title, self.version, &grammar, arguments.iter().cloned())? {
                Asked::Text(text) => {
                    say(&text);
                    return Ok(0);
                }
                Asked::Verb { name, flags, print_config } => (name, flags, print_config),
            };
        // Only the server is configured by files and the environment.
        let is_server = name == SERVE_VERB.0;
        let given = if is_server { config::gather(flags)? } else { Given { flags, ..Given::default() } };
        let table = grammar.iter().find(|verb| verb.name == name).map_or(serve.as_slice(), |verb| verb.table);
        let settings = Settings::layered(table, given)?;
        if print_config {
            say(&settings.to_string());
            return Ok(0);
        }
        if let Some(verb) = self.verbs.iter().find(|verb| verb.name() == name) {
            return verb.run(&settings).map(|()| 0);
        }
        if name == TOKEN_VERB.0 {
            say(&format!("{}\n", run_token_verb(&self.game, &settings)?));
            return Ok(0);
        }
        if !is_server {
            return self.contracts(&settings).map(|()| 0);
        }
        start_log(&settings)?;
        let options = ServeOptions::read(&settings)?;
        if supervised.is_none() && options.supervise {
            // The game is the child's.
            drop(self);
            return supervise::run(&options, &arguments);
        }
        self.serve(&settings, supervised).map(|()| 0)
    }

    fn contracts(&self, settings: &Settings) -> Result<(), Failure> {
        let descriptor = self.game.descriptor();
        let json = match settings.text("lock") {
            "" => descriptor.to_json(),
            path => descriptor.for_tools(&old_lock(path)?).map_err(|problem| {
                Failure::new(format!("the contracts have no valid lock: {problem}"), "")
            })?,
        };
        match settings.text("out") {
            "" => say(&json),
            path => write_whole(Path::new(path), json.as_bytes())?,
        }
        Ok(())
    }

    fn serve(self, settings: &Settings, supervised: Option<Supervised>) -> Result<(), Failure> {
        let (title, version) = (self.title.clone(), self.version);
        let signals = if supervised.is_some() { Signals::PassedOn } else { Signals::Counted };
        let (plan, extensions) = self.plan(signals, supervised);
        let running = Running::start(plan, settings)?;
        let is_ready =
            extensions.iter().try_for_each(|extension| extension.on_ready(running.ready(), settings));
        let ended = is_ready.and_then(|()| {
            // First: whoever reads the greeting may rely on what the parent then knows.
            running.say_ready();
            if running.greets() {
                say(&greeting(&title, version, &running));
            }
            running.wait()
        });
        if let Ok(signal) = &ended {
            say(&format!("{signal}: stopping; once more stops at once\n"));
        }
        running.will_stop();
        extensions.iter().for_each(|extension| extension.on_stopping());
        running.stop("the server stops");
        ended.map(|_| ())
    }

    fn serve_table(&self) -> Vec<Setting> {
        let mut table = SERVE.to_vec();
        table.extend(self.extensions.iter().flat_map(|extension| extension.settings()));
        table
    }

    fn plan(self, signals: Signals, supervised: Option<Supervised>) -> (Plan, Vec<Box<dyn Extension>>) {
        let Self { game, title, version, page, console_pages, verbs: _, extensions } = self;
        (Plan { game, title, version, page, console_pages, signals, supervised }, extensions)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("title", &self.title).field("game", &self.game).finish_non_exhaustive()
    }
}

/// The lock as it is; a game that is new has none.
fn old_lock(path: &str) -> Result<String, Failure> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|e| {
            Failure::new(format!("cannot read {path}: {e}"), "give --lock the file of the contracts' crate")
        }),
    }
}

/// Where everything is, and what is not fit for strangers.
fn greeting(title: &str, version: &str, running: &Running) -> String {
    let ready = running.ready();
    let days = running.certificate_ends().saturating_sub(clock::unix_seconds()) / (24 * 60 * 60);
    let mut lines = vec![
        format!("{title} {version} is running."),
        format!("  page     {}", ready.page_url()),
        format!("  game     {} (UDP: QUIC and WebTransport)", ready.game),
        format!("  console  {}", ready.console_url()),
        format!("  data     {}", ready.data.display()),
        "Not for production as it is:".to_owned(),
        format!(
            "  - the certificate is self-signed, good for {days} more days and renewed by itself; pages get its hash"
        ),
        "  - a page on another machine needs https for WebTransport; plain http works only on this one"
            .to_owned(),
    ];
    if running.forgets() {
        lines.push("  - state is in memory and gone when the server ends".to_owned());
    }
    lines.extend(running.warning().map(|warning| format!("  - {warning}")));
    lines.push("Ctrl-C stops it.\n".to_owned());
    lines.join("\n")
}

fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A reader that left early wants no more.
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

fn start_log(settings: &Settings) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(settings.text("log")).map_err(|_| {
        settings.wrong("log", "use error, warn, info or debug, or pairs like lightmoon::net=debug")
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It would complain of a closed stderr on stderr, and panic.
    let log = log.log_internal_errors(false);
    // A game may have set its own before; that is fine.
    let _ = match settings.text("log-format") {
        "text" => log.try_init(),
        "json" => log.json().flatten_event(true).with_ansi(false).try_init(),
        _ => return Err(settings.wrong("log-format", "it is `text` or `json`")),
    };
    Ok(())
}
