//! Where the server is and by which certificate it is known.
//!
//! *Responsible for*: reading both from the server's web address or from the file that `--ready-json` wrote.
//! *Not responsible for*: connecting ([`crate::fleet`]).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;

use lightmoon_client::CertificateHash;
use serde_json::Value;

use crate::Error;
use crate::limits::{ANSWER_BYTES_MAX, HASHES_MAX, WEB_PATIENCE};

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
    pub fn from_web(web: &str) -> Result<Self, Error> {
        let host = web.trim_start_matches("http://").trim_end_matches('/');
        asked(host).map_err(|why| Error::Web { web: host.to_owned(), why })
    }

    /// Reads the file that a server wrote by `--ready-json`.
    ///
    /// # Errors
    /// It cannot be read or is not such a file.
    pub fn from_ready_json(path: &Path) -> Result<Self, Error> {
        let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
        read.and_then(|text| from_ready_text(&text))
            .map_err(|why| Error::ReadyJson { path: path.display().to_string(), why })
    }

    /// A server whose address and certificates (SHA-256, hex) are known already. An address that listens everywhere is taken as
    /// this machine's.
    ///
    /// # Errors
    /// A hash is not 64 hex digits.
    pub fn known(game: SocketAddr, certificate_hashes: &[String]) -> Result<Self, Error> {
        let mut game = game;
        if game.ip().is_unspecified() {
            let v6 = std::net::Ipv6Addr::LOCALHOST.into();
            game.set_ip(if game.is_ipv4() { [127, 0, 0, 1].into() } else { v6 });
        }
        let hash = |text: &String| text.parse().map_err(|_| Error::Hash(text.clone()));
        Ok(Self { game, certificates: certificate_hashes.iter().map(hash).collect::<Result<_, _>>()? })
    }
}

/// What went wrong, for people; the caller says where.
type Why = String;

fn asked(host: &str) -> Result<Location, Why> {
    let body = fetch(host, "/lightmoon.json")?;
    let json: Value = serde_json::from_str(&body).map_err(|error| format!("it is not JSON: {error}"))?;
    let game = &json["game"];
    let (Some(name), Some(port)) = (game["host"].as_str(), game["port"].as_u64()) else {
        return Err("it does not say where the game is".to_owned());
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    Ok(Location { game: resolved((name, port))?, certificates: hashes(&json["certificateHashes"])? })
}

fn from_ready_text(text: &str) -> Result<Location, Why> {
    let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let game = json["game"].as_str().ok_or("`game` is missing")?;
    Ok(Location { game: resolved(game)?, certificates: hashes(&json["certificateHashes"])? })
}

fn resolved(address: impl ToSocketAddrs + std::fmt::Debug) -> Result<SocketAddr, Why> {
    let found = address.to_socket_addrs().map_err(|error| format!("{address:?} is no address: {error}"));
    found?.next().ok_or_else(|| format!("{address:?} has no address"))
}

fn hashes(json: &Value) -> Result<Vec<CertificateHash>, Why> {
    let list = json.as_array().ok_or("`certificateHashes` is missing")?;
    let texts = list.iter().take(HASHES_MAX).filter_map(Value::as_str);
    let hash = |text: &str| text.parse().map_err(|_| format!("{text:?} is no hash of a certificate"));
    let hashes: Vec<CertificateHash> = texts.map(hash).collect::<Result<_, _>>()?;
    if hashes.is_empty() { Err("`certificateHashes` is empty".to_owned()) } else { Ok(hashes) }
}

/// One GET over HTTP/1.1; the answer must be whole and 200.
fn fetch(host: &str, path: &str) -> Result<String, Why> {
    let address = resolved(host)?;
    let answer = || {
        let mut stream = TcpStream::connect_timeout(&address, WEB_PATIENCE)?;
        stream.set_read_timeout(Some(WEB_PATIENCE))?;
        stream.set_write_timeout(Some(WEB_PATIENCE))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = answer().map_err(|error: std::io::Error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer was cut off")?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(format!("it answered {status:?}"));
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_file_says_where_and_who() {
        let text = format!(r#"{{"game":"127.0.0.1:4433","certificateHashes":["{}"]}}"#, "0a".repeat(32));
        let location = from_ready_text(&text).unwrap();
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
            assert!(from_ready_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_met_on_this_machine() {
        let hash = ["0a".repeat(32)];
        let known = |game: &str| Location::known(game.parse().unwrap(), &hash).unwrap().game.to_string();
        assert_eq!(known("0.0.0.0:4433"), "127.0.0.1:4433");
        assert_eq!(known("[::]:4433"), "[::1]:4433");
        assert_eq!(known("10.0.0.7:4433"), "10.0.0.7:4433");
        assert!(matches!(Location::known("[::]:1".parse().unwrap(), &["x".into()]), Err(Error::Hash(_))));
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
