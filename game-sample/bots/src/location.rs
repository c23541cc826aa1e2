//! Where the server is and by which certificate it is known.
//!
//! *Responsible for*: reading both from the server's web address or from the file that `--ready-json` wrote.
//! *Not responsible for*: connecting ([`crate::harness`]).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use lightmoon_client::CertificateHash;
use serde_json::Value;

/// Patience with the web server, which answers in a millisecond or not at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer read; a real one has some hundred bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Certificates a server may announce: the present one and the next.
const HASHES_MAX: usize = 8;

/// A server to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// UDP address of the game.
    pub game: SocketAddr,
    /// SHA-256 of the certificates it may show.
    pub certificates: Vec<CertificateHash>,
}

impl Location {
    /// Asks the public web server at `web`: `host:port` or `http://host:port/`.
    ///
    /// A game's page has by default the same port number as the game itself, so the game's own address will do.
    ///
    /// # Errors
    /// Nobody answers there, or not as a Lightmoon server does.
    pub fn from_web(web: &str) -> Result<Self> {
        let host = web.trim_start_matches("http://").trim_end_matches('/');
        let body = fetch(host, "/lightmoon.json")
            .with_context(|| format!("cannot ask http://{host}/lightmoon.json"))?;
        let json: Value = serde_json::from_str(&body).context("/lightmoon.json is not JSON")?;
        let game = &json["game"];
        let (Some(name), Some(port)) = (game["host"].as_str(), game["port"].as_u64()) else {
            bail!("/lightmoon.json of {host} does not say where the game is");
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let port = u16::try_from(port).context("port of the game")?;
        Ok(Self { game: resolved((name, port))?, certificates: hashes(&json["certificateHashes"])? })
    }

    /// Reads the file that a server wrote by `--ready-json`.
    ///
    /// # Errors
    /// It cannot be read or is not such a file.
    pub fn from_ready_json(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::from_ready_text(&text)
            .with_context(|| format!("{} was not written by --ready-json", path.display()))
    }

    fn from_ready_text(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text)?;
        let game = json["game"].as_str().ok_or_else(|| anyhow!("`game` is missing"))?;
        Ok(Self { game: resolved(game)?, certificates: hashes(&json["certificateHashes"])? })
    }

    /// A server whose address and certificates (SHA-256, hex) are known already.
    ///
    /// # Errors
    /// A hash is not 64 hex digits.
    pub fn known(game: SocketAddr, certificate_hashes: &[String]) -> Result<Self> {
        let certificates = certificate_hashes.iter().map(|hash| hash_from(hash)).collect::<Result<_>>()?;
        Ok(Self { game, certificates })
    }
}

fn resolved(address: impl ToSocketAddrs + std::fmt::Debug) -> Result<SocketAddr> {
    let mut found = address.to_socket_addrs().with_context(|| format!("{address:?} is no address"))?;
    found.next().ok_or_else(|| anyhow!("{address:?} has no address"))
}

fn hashes(json: &Value) -> Result<Vec<CertificateHash>> {
    let list = json.as_array().ok_or_else(|| anyhow!("`certificateHashes` is missing"))?;
    let texts = list.iter().take(HASHES_MAX).filter_map(Value::as_str);
    let hashes: Vec<CertificateHash> = texts.map(hash_from).collect::<Result<_>>()?;
    if hashes.is_empty() {
        bail!("`certificateHashes` is empty");
    }
    Ok(hashes)
}

fn hash_from(text: &str) -> Result<CertificateHash> {
    text.parse().with_context(|| format!("{text:?}"))
}

/// One GET over HTTP/1.1; the answer must be whole and 200.
fn fetch(host: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&resolved(host)?, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| anyhow!("the answer was cut off"))?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        bail!("it answered {status:?}");
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_file_says_where_and_who() {
        let text = format!(r#"{{"game":"127.0.0.1:4433","certificateHashes":["{}"]}}"#, "0a".repeat(32));
        let location = Location::from_ready_text(&text).unwrap();
        assert_eq!(location.game, "127.0.0.1:4433".parse().unwrap());
        assert_eq!(location.certificates, [CertificateHash([10; 32])]);
    }

    #[test]
    fn what_is_no_ready_file_is_refused() {
        let hash = "0a".repeat(32);
        for text in [
            "",
            "[]",
            r#"{"game":"127.0.0.1:1"}"#,
            r#"{"game":"127.0.0.1:1","certificateHashes":[]}"#,
            r#"{"game":"127.0.0.1:1","certificateHashes":["0g"]}"#,
            &format!(r#"{{"certificateHashes":["{hash}"]}}"#),
        ] {
            assert!(Location::from_ready_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_web_server_is_asked_and_believed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let web = listener.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let length = stream.read(&mut request).unwrap();
            let body = format!(
                r#"{{"game":{{"host":"127.0.0.1","port":77}},"certificateHashes":["{}"]}}"#,
                "ff".repeat(32)
            );
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let location = Location::from_web(&format!("http://{web}/")).unwrap();
        assert_eq!(
            location,
            Location {
                game: "127.0.0.1:77".parse().unwrap(),
                certificates: vec![CertificateHash([255; 32])],
            }
        );
        assert!(answering.join().unwrap().starts_with("GET /lightmoon.json HTTP/1.1\r\n"));
    }
}
