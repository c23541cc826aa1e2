//! Which ports to listen on.
//!
//! *Responsible for*: binding the three listeners, taking chosen ports again, saying what to do when one is taken. *Not
//! responsible for*: what listens there.
//!
//! Invariants:
//! - I1: a port that was named is bound or the start fails; only for port 0 another may be taken.
//! - I2: without `--web` the page has the game's port number, TCP instead of UDP.

use crate::folder::Ports;
use crate::options::ServeOptions;
use crate::{Failure, limits};
use lightmoon_net::{Endpoint, Error, NetEvent, NetOptions, TlsIdentity};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// The ports of the last run, wanted again where the settings leave the choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Wanted(pub(crate) Ports);

/// The three listeners of a server.
pub(super) struct Listeners {
    pub(super) endpoint: Endpoint,
    pub(super) web: TcpListener,
    pub(super) console: TcpListener,
}

impl Listeners {
    pub(super) fn bind(
        options: &ServeOptions,
        wanted: Wanted,
        identity: &TlsIdentity,
        reset_secret: Vec<u8>,
        sink: &(impl Fn(NetEvent) + Clone + Send + Sync + 'static),
    ) -> Result<Self, Failure> {
        let bind_game = |listen: SocketAddr| {
            let net = NetOptions {
                listen,
                reset_secret: reset_secret.clone(),
                source_links_max: options.address_clients,
                ..NetOptions::default()
            };
            Endpoint::bind(net, identity, sink.clone())
        };
        let (endpoint, web) = match options.web {
            Some(web) => (
                choose(options.listen, wanted.0.listen, bind_game).map_err(|e| game_failure(&e))?,
                choose(web, wanted.0.web, tcp).map_err(|e| tcp_failure("web", web, &e))?,
            ),
            None => pair(options.listen, wanted.0.listen, bind_game)?,
        };
        let console = choose(options.console, wanted.0.console, tcp)
            .map_err(|e| tcp_failure("console", options.console, &e))?;
        Ok(Self { endpoint, web, console })
    }
}

/// Binds `address`; for port 0 the port of the last run first.
fn choose<T, E>(address: SocketAddr, last: u16, bind: impl Fn(SocketAddr) -> Result<T, E>) -> Result<T, E> {
    if address.port() == 0 && last != 0 {
        let again = SocketAddr::new(address.ip(), last);
        if let Ok(bound) = bind(again) {
            return Ok(bound);
        }
        tracing::warn!(target: "lightmoon::serve", %again, "the port of the last run is taken; choosing another");
    }
    bind(address)
}

/// Binds one port number for UDP and TCP.
fn pair(
    listen: SocketAddr,
    last: u16,
    bind_game: impl Fn(SocketAddr) -> Result<Endpoint, Error>,
) -> Result<(Endpoint, TcpListener), Failure> {
    if listen.port() != 0 {
        let endpoint = bind_game(listen).map_err(|e| game_failure(&e))?;
        let web = tcp(listen).map_err(|e| tcp_failure("web", listen, &e))?;
        return Ok((endpoint, web));
    }
    let attempts = (last != 0).then_some(last).into_iter().chain([0; limits::PORT_ATTEMPTS_MAX]);
    let mut failure = None;
    for port in attempts {
        // TCP first: it is the one that others are likelier to have.
        let bound = tcp(SocketAddr::new(listen.ip(), port)).and_then(|web| Ok((web.local_addr()?, web)));
        let (address, web) = match bound {
            Ok(bound) => bound,
            Err(e) => {
                failure = Some(tcp_failure("web", listen, &e));
                continue;
            }
        };
        match bind_game(address) {
            Ok(endpoint) => return Ok((endpoint, web)),
            Err(e) => failure = Some(game_failure(&e)),
        }
    }
    Err(failure.unwrap_or_else(|| Failure::new("no port is free", "name one with --listen")))
}

fn tcp(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Where a listener listens.
pub(super) fn local(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|e| unusable(&e))
}

/// The same listener for the runtime.
pub(super) fn into_tokio(listener: TcpListener) -> Result<tokio::net::TcpListener, Failure> {
    tokio::net::TcpListener::from_std(listener).map_err(|e| unusable(&e))
}

fn unusable(error: &std::io::Error) -> Failure {
    Failure::new(format!("a TCP listener is not usable: {error}"), "raise the limit of open files")
}

fn game_failure(error: &Error) -> Failure {
    if let Error::PortInUse(_) = error {
        let advice =
            "stop the process that has it, or choose another with --listen (port 0 picks a free one)";
        return Failure::new(error.to_string(), advice);
    }
    if let Error::Bind { source, .. } = error {
        return Failure::new(format!("{error}: {source}"), "name an address of this machine with --listen");
    }
    Failure::new(error.to_string(), "remove the folder `keys` in the data folder to have new ones made")
}

fn tcp_failure(setting: &str, address: SocketAddr, error: &std::io::Error) -> Failure {
    if error.kind() == ErrorKind::AddrInUse {
        return Failure::new(
            format!("TCP port {address} is in use"),
            format!(
                "stop the process that has it, or choose another with --{setting} (port 0 picks a free one)"
            ),
        );
    }
    Failure::new(
        format!("cannot listen on TCP {address}: {error}"),
        format!("name an address of this machine with --{setting}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_the_last_run_is_taken_again_and_another_when_it_is_taken() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = choose(any, 0, tcp).unwrap();
        let port = first.local_addr().unwrap().port();
        let other = choose(any, port, tcp).unwrap();
        assert_ne!(other.local_addr().unwrap().port(), port);
        drop(first);
        assert_eq!(choose(any, port, tcp).unwrap().local_addr().unwrap().port(), port);
    }

    #[test]
    fn a_named_port_is_never_replaced() {
        let first = tcp(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let taken = first.local_addr().unwrap();
        let error = choose(taken, 1, tcp).unwrap_err();
        let failure = tcp_failure("web", taken, &error).to_string();
        assert!(failure.contains(&taken.to_string()) && failure.contains("--web"), "{failure}");
    }
}
