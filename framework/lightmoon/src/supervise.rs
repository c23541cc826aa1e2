//! The small parent of a node: it holds the data folder, runs the node as its child, and starts it again when it died.
//!
//! *Responsible for*: the parent's whole life: one child at a time, signals passed on, when to start again, the exit code.
//! *Not responsible for*: the child's side ([`Supervised`]), whether and when to start again (`verdict`), the node.
//!
//! The child is the same executable with the same arguments and one more, [`ARGUMENT`]. The two share a socket, which is
//! the child's standard input: the parent sends the lock of the data folder, the child says that it is ready, and the end
//! of the parent is its end of file.
//!
//! ```text
//! parent   lock ── spawn ── poll(signals, socket, child) ── reap ── verdict ── pause ── spawn …
//! child        └── dies with the parent ── folder by the lock it was given ── serve ── "ready" ──
//! ```
//!
//! Invariants:
//! - I1: the data folder is locked as long as the parent or a child of it lives; a child that outlived its parent would
//!   hold it too, so two nodes never share a folder.
//! - I2: a child does not outlive its parent: the kernel kills it (Linux), and it ends itself when the socket ends.
//! - I3: only the thread that starts children waits for them and signals them, so a process id is never one of the past.
//! - I4: the parent has one thread, no runtime, and runs nothing of the game.

mod control;
mod program;
mod signals;
mod supervised;
mod verdict;

use crate::folder::{Folder, forget};
use crate::options::ServeOptions;
use crate::{Failure, clock};
use lightmoon_contract::Mono;
use program::{Child, Program};
use signals::{Request, Signals};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
pub(crate) use supervised::Supervised;
use verdict::{Backoff, Ending, Verdict};

/// Marks the child, and names its parent: `--supervised-by=PID`, before everything else. In no help text: a person who
/// gives it is refused.
const ARGUMENT: &str = "--supervised-by=";

/// Runs the server as a child of this process, again and again, and returns the exit code. `arguments` are those of this
/// process. To be called on the main thread: children die with the thread that started them.
pub(crate) fn run(options: &ServeOptions, arguments: &[OsString]) -> Result<u8, Failure> {
    let folder = Folder::open(&options.data)?;
    let signals = Signals::watch().map_err(|e| cannot("listen for signals", &e))?;
    Parent {
        folder,
        program: Program::this(arguments)?,
        ready_json: options.ready_json.clone(),
        signals,
        backoff: Backoff::default(),
        has_been_ready: false,
        stop: None,
        stop_at_once: None,
    }
    .live()
}

struct Parent {
    folder: Folder,
    program: Program,
    ready_json: Option<PathBuf>,
    signals: Signals,
    backoff: Backoff,
    /// Whether any child was.
    has_been_ready: bool,
    /// What was asked first, and passed on.
    stop: Option<Request>,
    /// Set by what was asked second.
    stop_at_once: Option<Request>,
}

/// The end of a child.
struct Death {
    ending: Ending,
    at: Mono,
}

impl Parent {
    fn live(mut self) -> Result<u8, Failure> {
        let mut last = None;
        loop {
            let (death, good_life) = match self.start() {
                Ok(child) => self.watch(child, last.as_ref())?,
                // Short of memory or processes: that may pass.
                Err(failure) if self.has_been_ready => {
                    tracing::error!(target: "lightmoon::serve", %failure, "the node is not started");
                    let death = last.unwrap_or_else(|| Death { ending: Ending::Code(1), at: clock::mono() });
                    (death, Duration::ZERO)
                }
                Err(failure) => return Err(failure),
            };
            if let Some(request) = self.stop_at_once {
                return Ok(request.exit_code());
            }
            match verdict::on(death.ending, self.has_been_ready, self.stop.map(Request::number)) {
                Verdict::End(code) => return Ok(code),
                Verdict::Again => {}
            }
            // Nobody may take the address of a dead node for that of a living one.
            self.ready_json.as_deref().map_or(Ok(()), forget)?;
            let pause = self.backoff.after(good_life);
            if !pause.is_zero() {
                let (ending, ms) = (death.ending, pause.as_millis());
                tracing::warn!(target: "lightmoon::serve", "the node ended ({ending}); the next start is in {ms} ms");
            }
            if self.pause(pause)? {
                return Ok(0);
            }
            last = Some(death);
        }
    }

    fn start(&self) -> Result<Child, Failure> {
        let lock = self.folder.lock();
        self.program.start(lock, !self.has_been_ready).map_err(|e| cannot("start the node's process", &e))
    }

    /// Waits for the end of a child. Answers also for how long it had been ready.
    fn watch(&mut self, mut child: Child, last: Option<&Death>) -> Result<(Death, Duration), Failure> {
        let mut ready_since = None;
        loop {
            self.signals.wait(child.control(), None).map_err(|e| cannot("wait for the node", &e))?;
            // The end first: what the child said before it is there then, too.
            let ending = child.ending().map_err(|e| cannot("wait for the node's process", &e))?;
            if child.says_ready() {
                ready_since = Some(clock::mono());
                self.has_been_ready = true;
                last.iter().for_each(|death| report(death));
            }
            if let Some(ending) = ending {
                let at = clock::mono();
                return Ok((
                    Death { ending, at },
                    ready_since.map_or(Duration::ZERO, |since| at.since(since)),
                ));
            }
            while let Some(request) = self.signals.next() {
                self.pass_on(request, &mut child);
            }
        }
    }

    /// The first request stops the child in order, the second at once.
    fn pass_on(&mut self, request: Request, child: &mut Child) {
        if self.stop.is_none() {
            self.stop = Some(request);
            child.signal(request);
        } else {
            self.stop_at_once.get_or_insert(request);
            child.kill();
        }
    }

    /// Lets time pass while no child lives. `true` when somebody wants an end.
    fn pause(&mut self, pause: Duration) -> Result<bool, Failure> {
        let end = clock::mono() + pause;
        loop {
            if self.signals.next().is_some() {
                return Ok(true);
            }
            let left = end.since(clock::mono());
            if left.is_zero() {
                return Ok(false);
            }
            self.signals.wait(None, Some(left)).map_err(|e| cannot("wait", &e))?;
        }
    }
}

/// A node that died is back.
fn report(death: &Death) {
    let (ending, ms) = (death.ending, clock::mono().since(death.at).as_millis());
    tracing::warn!(target: "lightmoon::serve", "the node ended ({ending}) and was started again in {ms} ms");
}

fn cannot(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {what}: {error}"), "raise the limits of processes and open files")
}
