//! Runs the example `lawn` in a folder of its own, as a server and as bots.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A busy machine takes seconds until a server counts who came in.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of one test, which goes with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        // Relaxed: only the number has to be new.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lightmoon-bots-it-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The example in this folder, with nothing in its environment that could reach it from outside.
pub(crate) fn lawn(folder: &Folder) -> Command {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples/lawn");
    let build = "`cargo test -p lightmoon-bots --features program` builds it, if no single test is asked for";
    assert!(path.exists(), "{} is missing: {build}", path.display());
    let mut command = Command::new(path);
    command.current_dir(&folder.0).stdin(Stdio::null());
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("LIGHTMOON_") {
            command.env_remove(key);
        }
    }
    command
}

/// A server that is ready; killed when dropped, and its node with it.
pub(crate) struct Server {
    child: Child,
    ready: Value,
}

impl Server {
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = lawn(folder);
        command.args(["serve", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0"]);
        command.args(["--console", "127.0.0.1:0", "--pin", "off", "--store", "memory:"]);
        command.args(["--ready-json", "ready.json"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            let count = output.read_line(&mut greeting).unwrap();
            assert!(count > 0, "it ended before it was ready: {greeting}");
        }
        // What it says later must not fail for want of a reader.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let ready = serde_json::from_slice(&std::fs::read(folder.path("ready.json")).unwrap()).unwrap();
        Self { child, ready }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.ready))
    }

    /// Waits until the server counts so many; its numbers are a moment old.
    pub(crate) fn counts(&self, metric: &str, wanted: u64) {
        let began = Instant::now();
        loop {
            let metrics = self.metrics();
            let line = metrics.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
            if line.and_then(|count| count.parse().ok()) == Some(wanted) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{metric} is {line:?} and not {wanted}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn metrics(&self) -> String {
        let port = self.ready["consolePort"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let token = self.text("consoleToken");
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
