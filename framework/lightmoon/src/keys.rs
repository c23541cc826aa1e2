//! Keys that outlive the process: certificates, the reset secret, the console's token, the secrets of players' tokens and of
//! sessions' tickets.
//!
//! *Responsible for*: making them, keeping them in `DIR/keys`, and when a certificate gets its successor. *Not responsible
//! for*: using them (`net`, `console`, `auth`).
//!
//! Browsers accept a self-signed certificate by its hash only if it is valid for less than 14 days. So one is made for
//! [`VALID_DAYS`]; at day [`SUCCESSOR_DAY`] its successor is made and the hashes of both are published; from day
//! [`SWITCH_DAY`] on the successor is shown. A page that loaded its hashes in between connects before and after.
//!
//! Invariants:
//! - I1: the certificate that is shown is always among those published, and was so for two days before unless it is the
//!   first.
//! - I2: files are readable by our user only.

use crate::folder::{Folder, write_whole};
use crate::{Failure, clock};
use lightmoon_net::TlsIdentity;
use lightmoon_node::TicketKey;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Days for which a certificate is valid; browsers refuse 14.
pub(crate) const VALID_DAYS: u64 = 13;
/// Age in days at which the successor is made and published.
pub(crate) const SUCCESSOR_DAY: u64 = 10;
/// Age in days from which the successor is shown.
pub(crate) const SWITCH_DAY: u64 = 12;

/// The folder of keys within the data folder.
const FOLDER: &str = "keys";
const TOKEN_SECRET: &str = "token-secret";

const DAY: u64 = 24 * 60 * 60;
/// A client's clock may be this many seconds behind ours.
const CLOCK_SKEW: u64 = 60 * 60;

/// The keys of a data folder.
#[derive(Debug)]
pub(crate) struct Keys {
    path: PathBuf,
    /// 32 random bytes; see [`lightmoon_net::NetOptions::reset_secret`].
    pub(crate) reset_secret: Vec<u8>,
    /// Signs tickets of sessions, which clients show after a restart; see [`lightmoon_node::TicketKey`].
    pub(crate) ticket_key: TicketKey,
    /// 32 hex digits: 128 bits.
    pub(crate) console_token: String,
}

/// The certificates in use.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// What clients are shown.
    pub(crate) shown: TlsIdentity,
    /// Hashes to publish, the shown one first; hex.
    pub(crate) hashes: Vec<String>,
    /// When the shown one ends: seconds since 1970.
    pub(crate) ends: u64,
}

/// What to do about certificates made at these times.
#[derive(PartialEq, Eq, Debug)]
struct Plan {
    /// Which of them to show, by the time it was made; `None`: the one that is to be made.
    show: Option<u64>,
    /// Whether to make one now.
    make: bool,
}

impl Keys {
    /// Reads the keys of `folder`, making those that are missing.
    pub(crate) fn open(folder: &Folder) -> Result<Self, Failure> {
        let path = folder.private(FOLDER)?;
        let reset_secret = kept(&path.join("reset-secret"), || random_bytes().to_vec())?;
        let console_token = kept(&path.join("console-token"), || hex(&random_bytes()[..16]).into_bytes())?;
        let console_token = String::from_utf8(console_token)
            .ok()
            .filter(|token| token.len() >= 32 && token.bytes().all(|b| b.is_ascii_alphanumeric()))
            .ok_or_else(|| damaged(&path.join("console-token")))?;
        if reset_secret.len() < 16 {
            return Err(damaged(&path.join("reset-secret")));
        }
        let ticket_secret = kept(&path.join("ticket-secret"), || random_bytes().to_vec())?;
        let ticket_secret = ticket_secret.try_into().map_err(|_| damaged(&path.join("ticket-secret")))?;
        let ticket_key = TicketKey(ticket_secret);
        Ok(Self { path, reset_secret, ticket_key, console_token })
    }

    /// The file of the secret of tokens.
    pub(crate) fn token_secret(&self) -> PathBuf {
        self.path.join(TOKEN_SECRET)
    }

    /// Makes the secret of tokens if there is none: 64 hex digits, which a login service takes as they are.
    pub(crate) fn make_token_secret(&self) -> Result<(), Failure> {
        kept(&self.token_secret(), || hex(&random_bytes()).into_bytes()).map(|_| ())
    }

    /// The certificates for now, making one when it is time.
    pub(crate) fn certificates(&self) -> Result<Certificates, Failure> {
        self.certificates_at(clock::unix_seconds())
    }

    fn certificates_at(&self, now: u64) -> Result<Certificates, Failure> {
        let mut known = self.known()?;
        let plan = plan(&known, now);
        if plan.make {
            self.make(now)?;
            known.push(now);
        }
        let shown = plan.show.unwrap_or(now);
        let mut hashes = Vec::new();
        for made in known {
            if made == shown {
                hashes.insert(0, hex(&self.load(made)?.certificate_hash()));
            } else if is_valid(made, now) {
                hashes.push(hex(&self.load(made)?.certificate_hash()));
            } else if made < now {
                // Ended; a file that stays although we cannot remove it does no harm.
                let _ = std::fs::remove_file(self.file(made, "cert"));
                let _ = std::fs::remove_file(self.file(made, "key"));
            }
        }
        Ok(Certificates { shown: self.load(shown)?, hashes, ends: shown + VALID_DAYS * DAY - CLOCK_SKEW })
    }

    /// When the certificates in the folder were made, in order. The name tells, so that no certificate need be parsed.
    fn known(&self) -> Result<Vec<u64>, Failure> {
        let entries = std::fs::read_dir(&self.path).map_err(|e| unreadable(&self.path, &e))?;
        let mut known: Vec<u64> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_prefix("cert-")?.strip_suffix(".der")?.parse().ok())
            .filter(|made| self.file(*made, "key").exists())
            .collect();
        known.sort_unstable();
        Ok(known)
    }

    fn make(&self, now: u64) -> Result<(), Failure> {
        let (cert, key) = certificate(now).map_err(|e| {
            Failure::new(format!("cannot make a certificate: {e}"), "check that the machine's clock is right")
        })?;
        // The key first: a certificate without its key would be found and not be usable.
        write_whole(&self.file(now, "key"), &key)?;
        write_whole(&self.file(now, "cert"), &cert)
    }

    fn load(&self, made: u64) -> Result<TlsIdentity, Failure> {
        let read = |kind| {
            let path = self.file(made, kind);
            std::fs::read(&path).map_err(|e| unreadable(&path, &e))
        };
        Ok(TlsIdentity { cert_der: read("cert")?, key_der: read("key")? })
    }

    fn file(&self, made: u64, kind: &str) -> PathBuf {
        self.path.join(format!("{kind}-{made}.der"))
    }
}

/// The file of the secret of tokens in a data folder that another process may have.
pub(crate) fn token_secret_in(data: &Path) -> PathBuf {
    data.join(FOLDER).join(TOKEN_SECRET)
}

fn is_valid(made: u64, now: u64) -> bool {
    made <= now && now < made + VALID_DAYS * DAY - CLOCK_SKEW
}

/// `known` in ascending order.
fn plan(known: &[u64], now: u64) -> Plan {
    let valid: Vec<u64> = known.iter().copied().filter(|made| is_valid(*made, now)).collect();
    let Some(newest) = valid.last().copied() else { return Plan { show: None, make: true } };
    let fresh = valid.iter().copied().find(|made| now < made + SWITCH_DAY * DAY);
    // None is fresh when the server slept through the days of publishing: then a new one is shown at once.
    Plan { show: fresh, make: now >= newest + SUCCESSOR_DAY * DAY }
}

/// A self-signed certificate and its key, ECDSA P-256, in DER.
fn certificate(now: u64) -> Result<(Vec<u8>, Vec<u8>), rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let begins = now - CLOCK_SKEW.min(now);
    let at = |seconds: u64| (UNIX_EPOCH + Duration::from_secs(seconds)).into();
    let mut params = CertificateParams::new(names)?;
    params.not_before = at(begins);
    params.not_after = at(begins + VALID_DAYS * DAY);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let cert = params.self_signed(&key)?;
    Ok((cert.der().to_vec(), key.serialize_der()))
}

/// What the file holds; made and written when there is none.
fn kept(path: &Path, make: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let bytes = make();
            write_whole(path, &bytes)?;
            Ok(bytes)
        }
        Err(e) => Err(unreadable(path, &e)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot read {}: {error}", path.display()),
        "make it readable for this user, or remove it to have a new one",
    )
}

fn damaged(path: &Path) -> Failure {
    Failure::new(format!("{} is damaged", path.display()), "remove it to have a new one made")
}

/// 32 bytes that nobody can guess.
pub(crate) fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut done = 0;
    while done < bytes.len() {
        // Up to 256 bytes the kernel answers whole once it has begun at boot; an interruption is asked again.
        done +=
            rustix::rand::getrandom(&mut bytes[done..], rustix::rand::GetRandomFlags::empty()).unwrap_or(0);
    }
    bytes
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    const START: u64 = 1_800_000_000;

    fn keys(scratch: &Scratch) -> Keys {
        Keys::open(&Folder::open(scratch.path()).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_the_same_after_a_restart() {
        let scratch = Scratch::new();
        let first = keys(&scratch);
        let second = keys(&scratch);
        assert_eq!(first.reset_secret, second.reset_secret);
        assert_eq!(first.console_token, second.console_token);
        let hashes = |keys: &Keys| keys.certificates_at(START).unwrap().hashes;
        assert_eq!(hashes(&first), hashes(&second));
        assert_ne!(first.console_token, keys(&Scratch::new()).console_token);
    }

    #[test]
    fn the_shown_certificate_was_published_two_days_before() {
        let scratch = Scratch::new();
        let keys = keys(&scratch);
        let mut published_at = std::collections::BTreeMap::new();
        let mut shown_before = None;
        for hour in 0..60 * 24 {
            let now = START + hour * 3_600;
            let certificates = keys.certificates_at(now).unwrap();
            for hash in &certificates.hashes {
                published_at.entry(hash.clone()).or_insert(hour);
            }
            let shown = certificates.hashes[0].clone();
            assert_eq!(shown, hex(&certificates.shown.certificate_hash()));
            assert!(certificates.ends > now, "it is valid while it is shown");
            if shown_before.as_ref().is_some_and(|before| *before != shown) {
                assert!(hour - published_at[&shown] >= 47, "hour {hour}");
            }
            shown_before = Some(shown);
        }
        assert!(published_at.len() >= 5, "60 days need five certificates");
        assert!(keys.known().unwrap().len() <= 2, "ended ones are removed");
    }

    #[test]
    fn at_day_ten_both_hashes_are_published() {
        let scratch = Scratch::new();
        let keys = keys(&scratch);
        keys.certificates_at(START).unwrap();
        assert_eq!(keys.certificates_at(START + SUCCESSOR_DAY * DAY - 1).unwrap().hashes.len(), 1);
        assert_eq!(keys.certificates_at(START + SUCCESSOR_DAY * DAY).unwrap().hashes.len(), 2);
    }

    #[test]
    fn a_server_that_slept_for_long_shows_a_new_certificate_at_once() {
        assert_eq!(plan(&[START], START + 30 * DAY), Plan { show: None, make: true });
        let late = START + SWITCH_DAY * DAY + 1;
        assert_eq!(plan(&[START], late), Plan { show: None, make: true });
        assert_eq!(plan(&[START + DAY], START), Plan { show: None, make: true }, "a clock that was set back");
    }

    #[test]
    fn a_damaged_token_is_named() {
        let scratch = Scratch::new();
        keys(&scratch);
        let path = scratch.path().join("keys/console-token");
        std::fs::write(&path, "short").unwrap();
        let failure = Keys::open(&Folder::open(scratch.path()).unwrap()).unwrap_err().to_string();
        assert!(failure.contains("console-token is damaged"), "{failure}");
    }

    #[test]
    fn keys_are_for_our_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new();
        let keys = keys(&scratch);
        keys.certificates_at(START).unwrap();
        for entry in std::fs::read_dir(scratch.path().join("keys")).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }
}
