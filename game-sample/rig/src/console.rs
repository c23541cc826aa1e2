//! What a server tells of itself: status and metrics.
//!
//! *Responsible for*: one GET with the console's token, reading the answer. *Not responsible for*: judging it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::limits::{CONSOLE_BYTES_MAX, CONSOLE_WITHIN};

/// Values of metrics: by name with labels as they are written, and under the bare name the sum over all labels.
pub type Metrics = BTreeMap<String, f64>;

/// Asks a server for its figures.
#[derive(Clone, Debug)]
pub struct Console {
    address: SocketAddr,
    token: String,
}

impl Console {
    /// The console that the file of a ready server names.
    pub(crate) fn of(ready: &Value) -> Result<Self> {
        let word = |name: &str| ready[name].as_str().with_context(|| format!("ready.json has no `{name}`"));
        let address = word("console")?.trim_start_matches("http://").trim_end_matches('/');
        let address = address.parse().context("the console's address")?;
        Ok(Self { address, token: word("consoleToken")?.to_owned() })
    }

    /// `/status.json`.
    ///
    /// # Errors
    /// It does not answer in time, or not so.
    pub fn status(&self) -> Result<Value> {
        serde_json::from_str(&self.get("/status.json")?).context("the console's answer is no JSON")
    }

    /// `/metrics`: a snapshot that the server makes anew a few times a second.
    ///
    /// # Errors
    /// It does not answer in time, or not so.
    pub fn metrics(&self) -> Result<Metrics> {
        Ok(values(&self.metrics_text()?))
    }

    /// `/metrics` as it is written.
    ///
    /// # Errors
    /// It does not answer in time, or not so.
    pub fn metrics_text(&self) -> Result<String> {
        self.get("/metrics")
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONSOLE_WITHIN)?;
        stream.set_read_timeout(Some(CONSOLE_WITHIN))?;
        stream.set_write_timeout(Some(CONSOLE_WITHIN))?;
        let (host, token) = (self.address, &self.token);
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream
            .take(CONSOLE_BYTES_MAX)
            .read_to_string(&mut answer)
            .with_context(|| format!("{path} did not answer"))?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the console's answer was cut off")?;
        let status = head.lines().next().unwrap_or("nothing");
        ensure!(status.split(' ').nth(1) == Some("200"), "{path} answered {status}");
        Ok(body.to_owned())
    }
}

fn values(text: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in text.lines().filter(|line| line.starts_with("lightmoon_")) {
        // A label may have spaces.
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<f64>() else { continue };
        *metrics.entry(series.to_owned()).or_default() += value;
        if let Some((name, _)) = series.split_once('{') {
            *metrics.entry(name.to_owned()).or_default() += value;
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_and_comments_are_not() {
        let metrics = values("# HELP lightmoon_a 7\nlightmoon_a 1.5\nlightmoon_b_total 3\nother 4\n");
        assert_eq!(
            metrics,
            Metrics::from([("lightmoon_a".to_owned(), 1.5), ("lightmoon_b_total".to_owned(), 3.0)])
        );
    }

    #[test]
    fn labels_are_part_of_the_name_and_added_up_without_it() {
        let metrics = values("lightmoon_c{lane=\"high reliable\"} 2\nlightmoon_c{lane=\"low\"} 5\n");
        assert_eq!(metrics["lightmoon_c{lane=\"high reliable\"}"].to_bits(), 2.0_f64.to_bits());
        assert_eq!(metrics["lightmoon_c"].to_bits(), 7.0_f64.to_bits());
    }

    #[test]
    fn a_file_without_a_console_is_told_of() {
        let error = Console::of(&serde_json::json!({"console": "http://127.0.0.1:9/"})).unwrap_err();
        assert!(error.to_string().contains("consoleToken"), "{error}");
    }
}
