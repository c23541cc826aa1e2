//! Starts an example, `tiny` as a rule, in a folder of its own and talks to its web servers.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// A folder of one test, the child's current folder, and the example that the child runs.
pub(crate) struct Scratch(PathBuf, &'static str);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::of("tiny")
    }

    /// For this example.
    pub(crate) fn of(example: &'static str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lightmoon-it-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path, example)
    }

    /// A folder within another one.
    pub(crate) fn within(folder: &Path) -> Self {
        let path = folder.join("scratch");
        std::fs::create_dir_all(&path).unwrap();
        Self(path, "tiny")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    /// The program in this folder, with nothing in its environment that could reach it from outside.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(example(self.1));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("LIGHTMOON_") {
                command.env_remove(key);
            }
        }
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A server on ports of its own choice, which is ready.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_for(Duration::from_secs(30), arguments)
    }

    /// The same, for a test that takes up to so long.
    pub(crate) fn serve_for(&self, long: Duration, arguments: &[&str]) -> Server {
        let mut all = vec!["--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--pin", "off"];
        all.extend_from_slice(&["--ready-json", "ready.json"]);
        all.extend_from_slice(arguments);
        let mut child = self.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let watchdog = Watchdog::of(Pid::from_child(&child), long);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = Box::new(BufReader::new(child.stderr.take().unwrap()));
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            if stdout.read_line(&mut greeting).unwrap() == 0 {
                let mut said = String::new();
                stderr.read_to_string(&mut said).unwrap();
                panic!("it ended before it was ready: {greeting}{said}");
            }
        }
        let ready = self.ready();
        // A node that outlives its parent would hold what we read to its end.
        let watchdogs = [watchdog, Watchdog::of(process(&ready, "pid"), long)];
        Server { child, greeting, ready, stdout, stderr, _watchdogs: watchdogs }
    }

    /// What the server wrote about itself once another process than this runs the node.
    pub(crate) fn ready_after(&self, node: Pid) -> Value {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            let text = std::fs::read(self.0.join("ready.json")).unwrap_or_default();
            if let Ok(ready) = serde_json::from_slice::<Value>(&text)
                && process(&ready, "pid") != node
            {
                return ready;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no other node than {node:?} became ready");
    }

    /// What the server wrote about itself.
    pub(crate) fn ready(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.0.join("ready.json")).unwrap()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The example, which cargo builds beside this test.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.exists(), "{} is missing: `cargo test -p lightmoon` builds it", path.display());
    path
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) greeting: String,
    pub(crate) ready: Value,
    stdout: BufReader<ChildStdout>,
    stderr: Box<dyn BufRead + Send>,
    _watchdogs: [Watchdog; 2],
}

/// Kills a process that a failing test would wait for without end. Gone when dropped.
struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    fn of(pid: Pid, long: Duration) -> Self {
        let (alive, gone) = channel();
        std::thread::spawn(move || {
            if gone.recv_timeout(long) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Self { _alive: alive }
    }
}

impl Server {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.ready))
    }

    pub(crate) fn port(&self, key: &str) -> u16 {
        self.ready[key].as_u64().and_then(|port| port.try_into().ok()).expect(key)
    }

    /// What it says next.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Reads what it complains of until a line has this in it; that line.
    pub(crate) fn complaint(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "it ended without {part:?}");
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Closes what it complains to.
    pub(crate) fn ignore_complaints(&mut self) {
        self.stderr = Box::new(std::io::empty());
    }

    /// A signal to the process that was started.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The process that runs the node, as it was when this server started.
    pub(crate) fn node(&self) -> Pid {
        process(&self.ready, "pid")
    }

    /// Its exit code (`None` after a kill), how long it took, and what it said on stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, Duration, String) {
        let began = Instant::now();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), began.elapsed(), said)
    }

    pub(crate) fn web(&self, path: &str) -> Answer {
        get(self.port("webPort"), path, &[])
    }

    pub(crate) fn console(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        get(self.port("consolePort"), path, headers)
    }

    pub(crate) fn console_post(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        request("POST", self.port("consolePort"), path, headers, "")
    }

    /// A POST with something to say.
    pub(crate) fn console_send(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request("POST", self.port("consolePort"), path, headers, body)
    }

    /// What a stream says until it says this.
    pub(crate) fn console_beginning(&self, path: &str, headers: &[(&str, &str)], until: &str) -> String {
        let mut stream = ask("GET", self.port("consolePort"), path, headers, "");
        let (mut said, mut part) = (Vec::new(), [0; 4_096]);
        while !String::from_utf8_lossy(&said).contains(until) {
            let count = stream.read(&mut part).unwrap();
            assert!(count > 0, "it ended: {}", String::from_utf8_lossy(&said));
            said.extend_from_slice(&part[..count]);
        }
        String::from_utf8(said).unwrap()
    }
}

/// A process that a server wrote about.
pub(crate) fn process(ready: &Value, key: &str) -> Pid {
    let number = ready[key].as_i64().and_then(|number| number.try_into().ok());
    number.and_then(Pid::from_raw).unwrap_or_else(|| panic!("{key} in {ready}"))
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended already cannot be killed, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of a web server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// One request over a connection of its own.
pub(crate) fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> Answer {
    request("GET", port, path, headers, "")
}

/// Asks over a connection of its own.
fn ask(method: &str, port: u16, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn request(method: &str, port: u16, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = ask(method, port, path, headers, body);
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
