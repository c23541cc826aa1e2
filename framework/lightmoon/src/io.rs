//! The I/O thread: sockets of clients, the two web servers, signals, the clock of certificates.
//!
//! *Responsible for*: binding every port, one tokio runtime on a thread of its own, an orderly end of all that. *Not
//! responsible for*: bytes of links (`net`), pages (`web`, `console`), the node.
//!
//! One thread is enough and costs the least: a current-thread runtime needs a third of the CPU of a pool for the same
//! traffic.
//!
//! Invariants:
//! - I1: when [`start`] returns, every port listens.
//! - I2: a second signal ends the process at once, whatever the first one's stop is doing. Under a parent, one that comes
//!   with the first is the same.

mod ports;

use crate::board::Board;
use crate::console::{Audit, Console, ConsolePage};
use crate::keys::{Certificates, Keys};
use crate::node_thread::ToNode;
use crate::options::ServeOptions;
use crate::web::{Bounded, Page, Peer, Web};
use crate::{Failure, clock, limits};
use lightmoon_contract::Mono;
use lightmoon_net::{CloseCode, Commands, Endpoint};
use ports::Listeners;
pub(crate) use ports::Wanted;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Something that the main thread has to act on.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Somebody wants the server to stop.
    Signal(&'static str),
    /// The node's thread ended; with a fault if it was not asked to.
    NodeEnded(Result<(), Failure>),
}

/// What the I/O thread works with.
pub(crate) struct Plan {
    pub(crate) options: ServeOptions,
    pub(crate) wanted: Wanted,
    pub(crate) keys: Keys,
    pub(crate) board: Arc<Board>,
    pub(crate) page: Option<Page>,
    pub(crate) console_pages: Arc<[ConsolePage]>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) signals: Signals,
}

/// What SIGINT and SIGTERM mean to this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Signals {
    /// They are another's.
    Ignored,
    /// Each is a request.
    Counted,
    /// A parent passes its own on, so the same request may come twice.
    PassedOn,
}

/// Where it listens.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) commands: Commands,
    pub(crate) game: SocketAddr,
    pub(crate) web: SocketAddr,
    pub(crate) console: SocketAddr,
    /// When the certificate shown now ends: seconds since 1970.
    pub(crate) certificate_ends: u64,
}

/// The running thread.
#[derive(Debug)]
pub(crate) struct Io {
    thread: JoinHandle<()>,
    stop: oneshot::Sender<String>,
}

/// Starts the thread and waits until every port listens.
pub(crate) fn start(
    plan: Plan,
    to_node: Sender<ToNode>,
    happenings: Sender<Happening>,
) -> Result<(Started, Io), Failure> {
    let (stop, stopped) = oneshot::channel();
    let (answer, started) = mpsc::sync_channel(1);
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(e) => return answer_failure(&answer, no_thread(&e)),
        };
        runtime.block_on(async move {
            match open(&plan, &to_node, &happenings) {
                Ok(open) => {
                    let _ = answer.send(Ok(open.started.clone()));
                    live(plan, open, stopped).await;
                }
                Err(failure) => answer_failure(&answer, failure),
            }
        });
        runtime.shutdown_timeout(limits::STOP_WEB_MAX);
    };
    let thread =
        std::thread::Builder::new().name("lightmoon-io".to_owned()).spawn(run).map_err(|e| no_thread(&e))?;
    let gone =
        || Failure::new("the I/O thread ended while it started", "this is a fault of the server; report it");
    let started = started.recv().unwrap_or_else(|_| Err(gone()))?;
    Ok((started, Io { thread, stop }))
}

impl Io {
    /// Closes links that are still open, telling `reason`, then everything else.
    pub(crate) fn stop(self, reason: String) {
        // A thread that ended already has nothing to stop.
        let _ = self.stop.send(reason);
        let _ = self.thread.join();
    }
}

/// What is open while the thread lives.
struct Open {
    endpoint: Endpoint,
    certificates: Certificates,
    started: Started,
    /// Web servers; end when dropped.
    servers: JoinSet<()>,
}

fn open(plan: &Plan, to_node: &Sender<ToNode>, happenings: &Sender<Happening>) -> Result<Open, Failure> {
    match plan.signals {
        Signals::Ignored => {}
        Signals::Counted => watch_signals(happenings.clone(), Duration::ZERO)?,
        Signals::PassedOn => watch_signals(happenings.clone(), limits::SAME_REQUEST)?,
    }
    let certificates = plan.keys.certificates()?;
    plan.board.set_hashes(certificates.hashes.clone());
    let events = to_node.clone();
    let sink = move |event| {
        // When the node is gone, so will be the process.
        let _ = events.send(ToNode::Net(event));
    };
    let reset_secret = plan.keys.reset_secret.clone();
    let listeners = Listeners::bind(&plan.options, plan.wanted, &certificates.shown, reset_secret, &sink)?;
    let Listeners { endpoint, web, console } = listeners;
    let started = Started {
        commands: endpoint.commands(),
        game: endpoint.address(),
        web: ports::local(&web)?,
        console: ports::local(&console)?,
        certificate_ends: certificates.ends,
    };
    let mut servers = JoinSet::new();
    let pages = Web { board: Arc::clone(&plan.board), page: plan.page, game: started.game };
    serve(&mut servers, web, pages.router())?;
    let operator = Console {
        board: Arc::clone(&plan.board),
        token: plan.keys.console_token.as_str().into(),
        to_node: to_node.clone(),
        live: Arc::default(),
        audit: Arc::clone(&plan.audit),
        pages: Arc::clone(&plan.console_pages),
    };
    servers.spawn(operator.clone().beat());
    serve(&mut servers, console, operator.router())?;
    Ok(Open { endpoint, certificates, started, servers })
}

fn serve(
    servers: &mut JoinSet<()>,
    listener: std::net::TcpListener,
    router: axum::Router,
) -> Result<(), Failure> {
    let listener = ports::into_tokio(listener)?;
    servers.spawn(async move {
        // Never ends by itself: a connection's fault ends that connection.
        let service = router.into_make_service_with_connect_info::<Peer>();
        let _ = axum::serve(Bounded::new(listener), service).await;
    });
    Ok(())
}

/// Until told to stop: looks after certificates and counters. Then closes everything.
async fn live(plan: Plan, open: Open, mut stopped: oneshot::Receiver<String>) {
    let Open { endpoint, mut certificates, started: _, mut servers } = open;
    let mut rotation = tokio::time::interval(limits::ROTATION_EVERY);
    let mut report = tokio::time::interval(limits::REPORT_EVERY);
    let reason = loop {
        tokio::select! {
            reason = &mut stopped => break reason.unwrap_or_else(|_| "the server stops".to_owned()),
            _ = report.tick() => plan.board.set_net(endpoint.counters()),
            _ = rotation.tick() => rotate(&plan, &endpoint, &mut certificates),
        }
    };
    endpoint.stop(CloseCode::ShuttingDown, &reason, limits::STOP_LINKS_MAX).await;
    servers.shutdown().await;
}

/// Publishes and shows the certificates of today. A fault keeps yesterday's, which are good for days.
fn rotate(plan: &Plan, endpoint: &Endpoint, current: &mut Certificates) {
    match plan.keys.certificates() {
        Ok(certificates) if certificates.hashes == current.hashes => {}
        Ok(certificates) => {
            if let Err(error) = endpoint.set_identity(&certificates.shown) {
                tracing::error!(target: "lightmoon::keys", %error, "the new certificate is not usable");
                return;
            }
            plan.board.set_hashes(certificates.hashes.clone());
            *current = certificates;
        }
        Err(failure) => tracing::error!(target: "lightmoon::keys", %failure, "cannot renew the certificate"),
    }
}

/// Reports the first SIGINT or SIGTERM; the second ends the process. Those within `same` after the first count as it.
fn watch_signals(happenings: Sender<Happening>, same: Duration) -> Result<(), Failure> {
    let cannot = |e: std::io::Error| Failure::new(format!("cannot listen for signals: {e}"), "");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    tokio::spawn(async move {
        let mut first: Option<Mono> = None;
        loop {
            let (name, code) = tokio::select! {
                _ = interrupt.recv() => ("SIGINT", limits::EXIT_SIGINT),
                _ = terminate.recv() => ("SIGTERM", limits::EXIT_SIGTERM),
            };
            match first {
                None => {
                    first = Some(clock::mono());
                    let _ = happenings.send(Happening::Signal(name));
                }
                Some(first) if clock::mono().since(first) < same => {}
                Some(_) => std::process::exit(code.into()),
            }
        }
    });
    Ok(())
}

fn answer_failure(answer: &mpsc::SyncSender<Result<Started, Failure>>, failure: Failure) {
    let _ = answer.send(Err(failure));
}

fn no_thread(error: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot start the I/O thread: {error}"),
        "raise the limits of threads and open files",
    )
}

/// The longest that a stop takes: node, links, web servers.
pub(crate) const STOP_MAX: Duration = Duration::from_millis(1_900);

const _: () = assert!(
    limits::STOP_NODE_MAX.as_millis() + limits::STOP_LINKS_MAX.as_millis() + limits::STOP_WEB_MAX.as_millis()
        <= STOP_MAX.as_millis()
);
