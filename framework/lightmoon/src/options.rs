//! What `serve` can be told, with meaning.
//!
//! *Responsible for*: the table of settings and their types. *Not responsible for*: where values come from (`config`),
//! opening a store (`serve`).

use crate::auth::{AUTH, AuthOptions, SECRET_FILE};
use crate::setting::{Setting, Settings};
use crate::workers::ThreadOptions;
use crate::{Failure, cores, limits};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The setting of the data folder.
pub(crate) const DATA: Setting = Setting {
    name: "data",
    value: "DIR",
    default: "./lightmoon-data",
    help: "Folder for keys, chosen ports and stored state; made if missing",
};

/// The settings of every game's server.
pub(crate) const SERVE: &[Setting] = &[
    DATA,
    Setting {
        name: "listen",
        value: "ADDR:PORT",
        default: "127.0.0.1:4433",
        help: "UDP address of the game, for native clients and WebTransport; port 0 picks one and keeps it in --data",
    },
    Setting {
        name: "web",
        value: "ADDR:PORT",
        default: "",
        help: "TCP address of the game's page; without it that of --listen, with the same port number",
    },
    Setting {
        name: "console",
        value: "ADDR:PORT",
        default: "127.0.0.1:4434",
        help: "TCP address of the console and /metrics, loopback only; port 0 picks one and keeps it in --data",
    },
    Setting {
        name: "store",
        value: "URL",
        default: "files:",
        help: "Where state is kept: `files:DIR` (`files:` is --data), or `memory:`, which forgets it when the server ends",
    },
    Setting {
        name: "accept-loss",
        value: "on|off",
        default: "off",
        help: "Whether to go on with a store of files that lost its end, instead of refusing to start; what is lost is logged",
    },
    Setting {
        name: "store-buffer",
        value: "MIB",
        default: "16",
        help: "What a store of files keeps unsorted in memory of rows and of snapshots each, 1 to 256; memory takes three times as much; less opens sooner after a crash; holds for folders made with it",
    },
    Setting {
        name: "store-cache",
        value: "MIB",
        default: "64",
        help: "Most that a store of files keeps of what was read, 1 to 16384; it fills as players come back",
    },
    Setting {
        name: "supervise",
        value: "on|off",
        default: "on",
        help: "Whether a small parent process starts the node again when it dies; off where a service manager does",
    },
    Setting {
        name: "resume-time",
        value: "SECONDS",
        default: "15",
        help: "How long a player stays whose connection broke, 0 to 600; a client that comes back until then goes on where it was",
    },
    Setting {
        name: "address-clients",
        value: "N",
        default: "2500",
        help: "How many clients may come from one address (IPv6: one network of 64 bits), 1 to 10000; more where they share one",
    },
    Setting {
        name: "workers",
        value: "N|auto",
        default: "auto",
        help: "Threads that run actors, 1 to 64; auto: two fewer than cores, at least 1 and at most 16, so that transport and sessions have a core each",
    },
    Setting {
        name: "spin-us",
        value: "MICROSECONDS",
        default: "50",
        help: "How long a worker without work looks for some before its thread sleeps, 0 to 10000, with several workers only; waking costs about 45, spinning a busy core",
    },
    AUTH,
    SECRET_FILE,
    Setting {
        name: "ready-json",
        value: "FILE",
        default: "",
        help: "File to write, whole, once every port listens: addresses, certificate hashes, console token, process id",
    },
    Setting {
        name: "pin",
        value: "on|off",
        default: "on",
        help: "Whether each thread of the node stays on one core of its own; off where several servers share a machine",
    },
    Setting {
        name: "observe",
        value: "on|off",
        default: "on",
        help: "Whether the node says four times a second how it is; off: console and /metrics stand still, to measure what that costs",
    },
    Setting {
        name: "log",
        value: "FILTER",
        // A page that is closed ends its connection in the middle of a capsule; that is no news.
        default: "warn,web_transport_quinn=error",
        help: "What to log on stderr: error, warn, info, debug, or target=level pairs",
    },
    Setting {
        name: "log-format",
        value: "text|json",
        default: "text",
        help: "How to log: lines for people, or one JSON object a line with timestamp, level, target, message and fields",
    },
];

/// Where state is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StoreChoice {
    /// In files in this folder.
    Files(PathBuf),
    /// Nowhere: it is gone when the server ends.
    Memory,
}

/// The settings of `serve`, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ServeOptions {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    /// `None`: the address of `listen`, with the same port number.
    pub(crate) web: Option<SocketAddr>,
    pub(crate) console: SocketAddr,
    pub(crate) store: StoreChoice,
    /// Whether a store of files may have lost its end.
    pub(crate) accept_loss: bool,
    /// What a store of files keeps unsorted.
    pub(crate) store_buffer_bytes: u64,
    /// What it keeps of what was read.
    pub(crate) store_cache_bytes: u64,
    /// Whether the node has a parent that starts it again.
    pub(crate) supervise: bool,
    pub(crate) ready_json: Option<PathBuf>,
    pub(crate) pin: bool,
    /// Whether the node reports.
    pub(crate) observe: bool,
    /// How long a session waits for its client.
    pub(crate) resume_time: Duration,
    /// Most clients from one address.
    pub(crate) address_clients: usize,
    /// How many workers.
    pub(crate) workers: u16,
    /// How long each looks for work before it sleeps.
    pub(crate) spin: Duration,
    pub(crate) auth: AuthOptions,
}

impl ServeOptions {
    pub(crate) fn read(settings: &Settings) -> Result<Self, Failure> {
        let console = address(settings, "console")?;
        if !console.ip().is_loopback() {
            let why = "the console may only listen on a loopback address; reach it from elsewhere through an SSH tunnel";
            return Err(settings.wrong("console", why));
        }
        Ok(Self {
            data: PathBuf::from(settings.text("data")),
            listen: address(settings, "listen")?,
            web: optional(settings, "web").map(|_| address(settings, "web")).transpose()?,
            console,
            ready_json: optional(settings, "ready-json").map(PathBuf::from),
            store: store(settings)?,
            accept_loss: switch(settings, "accept-loss")?,
            store_buffer_bytes: mib(settings, "store-buffer", 256)?,
            store_cache_bytes: mib(settings, "store-cache", 16_384)?,
            supervise: switch(settings, "supervise")?,
            pin: switch(settings, "pin")?,
            observe: switch(settings, "observe")?,
            resume_time: resume_time(settings)?,
            address_clients: address_clients(settings)?,
            workers: workers(settings)?,
            spin: spin(settings)?,
            auth: AuthOptions::read(settings)?,
        })
    }

    /// How the threads of workers behave. Where they have to share cores none looks for work while another has some.
    pub(crate) fn threads(&self) -> ThreadOptions {
        let is_crowded = usize::from(self.workers) > 1 && usize::from(self.workers) + 2 > cores::available();
        if is_crowded {
            tracing::warn!(
                target: "lightmoon::serve",
                workers = self.workers,
                cores = cores::available(),
                "more threads than cores: workers share them, and none spins; give fewer --workers"
            );
        }
        ThreadOptions {
            spin: if is_crowded { Duration::ZERO } else { self.spin },
            pin: self.pin && !is_crowded,
        }
    }
}

fn optional<'a>(settings: &'a Settings, name: &str) -> Option<&'a str> {
    Some(settings.text(name)).filter(|text| !text.is_empty())
}

/// An address as `IP:PORT`. Names are not resolved: which of their addresses to listen on would be a guess.
fn address(settings: &Settings, name: &str) -> Result<SocketAddr, Failure> {
    let text = settings.text(name);
    let text =
        text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| {
        settings.wrong(
            name,
            "it should look like 127.0.0.1:4433, [::1]:4433 or 0.0.0.0:4433 (all of this machine)",
        )
    })
}

fn resume_time(settings: &Settings) -> Result<Duration, Failure> {
    let seconds = settings.parse::<u64>("resume-time")?;
    let time = Duration::from_secs(seconds);
    // A ticket that has expired resumes nothing, so longer waits would be in vain.
    if time > lightmoon_node::limits::TICKET_VALID {
        return Err(settings.wrong("resume-time", "it is a number of seconds from 0 to 600"));
    }
    Ok(time)
}

fn workers(settings: &Settings) -> Result<u16, Failure> {
    if settings.text("workers") == "auto" {
        return Ok(cores::workers_for(cores::available()));
    }
    match settings.parse::<u16>("workers") {
        Ok(count) if (1..=lightmoon_node::limits::WORKERS_MAX).contains(&count) => Ok(count),
        Ok(_) | Err(_) => Err(settings.wrong("workers", "it is `auto` or a number from 1 to 64")),
    }
}

fn spin(settings: &Settings) -> Result<Duration, Failure> {
    let micros = settings.parse::<u64>("spin-us")?;
    let spin = Duration::from_micros(micros);
    if spin > limits::SPIN_MAX {
        return Err(settings.wrong("spin-us", "it is a number of microseconds from 0 to 10000"));
    }
    Ok(spin)
}

/// A count of MiB from 1 on, as bytes.
fn mib(settings: &Settings, name: &'static str, most: u64) -> Result<u64, Failure> {
    let mib = settings.parse::<u64>(name)?;
    if !(1..=most).contains(&mib) {
        return Err(settings.wrong(name, &format!("it is a number of MiB from 1 to {most}")));
    }
    Ok(mib * 1024 * 1024)
}

fn address_clients(settings: &Settings) -> Result<usize, Failure> {
    let count = settings.parse::<usize>("address-clients")?;
    if !(1..=lightmoon_node::limits::SESSIONS_MAX).contains(&count) {
        return Err(settings.wrong("address-clients", "it is a number from 1 to 10000"));
    }
    Ok(count)
}

fn switch(settings: &Settings, name: &str) -> Result<bool, Failure> {
    match settings.text(name) {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(settings.wrong(name, "it is `on` or `off`")),
    }
}

fn store(settings: &Settings) -> Result<StoreChoice, Failure> {
    let url = settings.text("store");
    understand_store(url, settings.text("data")).map_err(|why| settings.wrong("store", why))
}

/// What a store's URL means; `data`: the folder of `files:` alone.
///
/// # Errors
/// It means nothing.
pub(crate) fn store_choice(url: &str, data: &str) -> Result<StoreChoice, Failure> {
    understand_store(url, data)
        .map_err(|why| Failure::wrong_arguments(format!("--store cannot be `{url}`"), why))
}

fn understand_store(url: &str, data: &str) -> Result<StoreChoice, &'static str> {
    if url == "memory:" {
        return Ok(StoreChoice::Memory);
    }
    if let Some(folder) = url.strip_prefix("files:") {
        let folder = if folder.is_empty() { data } else { folder };
        return Ok(StoreChoice::Files(PathBuf::from(folder)));
    }
    let why = if url.starts_with("cql://") {
        "this version has no store in a database; use `files:` (in --data) or `files:DIR`"
    } else {
        "it should look like `files:` (in --data), `files:DIR` or `memory:`"
    };
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<ServeOptions, Failure> {
        ServeOptions::read(&Settings::defaults(SERVE).with(name, value))
    }

    #[test]
    fn the_defaults_are_good_and_stay_on_this_machine() {
        let options = ServeOptions::read(&Settings::defaults(SERVE)).unwrap();
        assert!(options.listen.ip().is_loopback() && options.console.ip().is_loopback());
        assert_eq!(options.web, None);
    }

    #[test]
    fn the_console_stays_on_this_machine() {
        let failure = read("console", "0.0.0.0:4434").unwrap_err();
        assert!(failure.to_string().contains("loopback"), "{failure}");
        assert_eq!(failure.code(), 2);
    }

    #[test]
    fn stores_are_named_by_what_they_are() {
        let store = |url| read("store", url).unwrap().store;
        assert_eq!(store("memory:"), StoreChoice::Memory);
        assert_eq!(store("files:/srv/game"), StoreChoice::Files("/srv/game".into()));
        assert_eq!(store("files:"), StoreChoice::Files("./lightmoon-data".into()), "the data folder");
    }

    #[test]
    fn a_store_that_does_not_exist_is_answered_with_those_that_do() {
        for url in ["postgres:", "memory", "cql:host", ""] {
            let failure = read("store", url).unwrap_err().to_string();
            assert!(failure.contains("`memory:`") && failure.contains("`files:`"), "{failure}");
        }
        let failure = read("store", "cql://host/game").unwrap_err().to_string();
        assert!(failure.contains("no store in a database"), "{failure}");
    }

    #[test]
    fn switches_are_on_or_off() {
        for name in ["pin", "supervise", "accept-loss", "observe"] {
            let failure = read(name, "maybe").unwrap_err().to_string();
            assert!(failure.contains("`on` or `off`"), "{failure}");
        }
    }

    #[test]
    fn sessions_wait_as_long_as_tickets_are_valid_at_most() {
        assert_eq!(read("resume-time", "0").unwrap().resume_time, Duration::ZERO);
        assert_eq!(
            ServeOptions::read(&Settings::defaults(SERVE)).unwrap().resume_time,
            lightmoon_node::limits::RESUME_TIME
        );
        for time in ["601", "-1", "a while", ""] {
            assert!(read("resume-time", time).is_err(), "{time}");
        }
    }

    #[test]
    fn workers_are_counted_or_chosen_by_cores() {
        let defaults = ServeOptions::read(&Settings::defaults(SERVE)).unwrap();
        assert_eq!(defaults.workers, cores::workers_for(cores::available()));
        assert_eq!(defaults.spin, Duration::from_micros(50));
        assert_eq!(read("workers", "3").unwrap().workers, 3);
        assert_eq!(read("spin-us", "0").unwrap().spin, Duration::ZERO);
        for count in ["0", "65", "many", ""] {
            let failure = read("workers", count).unwrap_err().to_string();
            assert!(failure.contains("`auto`"), "{failure}");
        }
        assert!(read("spin-us", "10001").is_err());
    }

    #[test]
    fn an_address_has_a_share_that_an_operator_may_change() {
        let defaults = ServeOptions::read(&Settings::defaults(SERVE)).unwrap();
        assert_eq!(defaults.address_clients, lightmoon_node::limits::SESSIONS_PER_SOURCE_MAX);
        assert_eq!(defaults.address_clients, lightmoon_net::limits::SOURCE_LINKS_MAX);
        assert_eq!(read("address-clients", "10000").unwrap().address_clients, 10_000);
        for count in ["0", "10001", "many", ""] {
            assert!(read("address-clients", count).is_err(), "{count}");
        }
    }

    #[test]
    fn a_bad_address_is_answered_with_good_ones() {
        for address in ["4433", "example.org:4433", "127.0.0.1", "127.0.0.1:70000", ""] {
            let failure = read("listen", address).unwrap_err().to_string();
            assert!(failure.contains("127.0.0.1:4433"), "{failure}");
        }
        assert_eq!(read("listen", "localhost:5").unwrap().listen, "127.0.0.1:5".parse().unwrap());
    }
}
