//! `--auth`: whether this server lets guests in or asks for tokens.
//!
//! *Responsible for*: the settings, where the secret lies, and putting the choice into the game.
//! *Not responsible for*: games that choose for themselves ([`Game::authenticate`]): there these settings are refused.

use super::SignedTokens;
use crate::keys::Keys;
use crate::setting::{Origin, Setting, Settings};
use crate::{Failure, limits};
use lightmoon_node::Game;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The setting of who is let in.
pub(crate) const AUTH: Setting = Setting {
    name: "auth",
    value: "guests|tokens",
    default: "guests",
    help: "Who may log in: guests (anybody, for development), or bearers of signed tokens only",
};

/// The setting of the secret's place.
pub(crate) const SECRET_FILE: Setting = Setting {
    name: "auth-secret-file",
    value: "FILE",
    default: "",
    help: "File with the secret of tokens (HS256, 32 bytes or more, a line's end does not count); without it \
           keys/token-secret in --data, made at the first start with --auth tokens",
};

/// `--auth` and its file, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AuthOptions {
    is_tokens: bool,
    /// Whether somebody said it, so that a game which decides by itself must not be silently of another opinion.
    is_given: bool,
    secret_file: Option<PathBuf>,
}

impl AuthOptions {
    pub(crate) fn read(settings: &Settings) -> Result<Self, Failure> {
        let is_tokens = match settings.text(AUTH.name) {
            "guests" => false,
            "tokens" => true,
            _ => return Err(settings.wrong(AUTH.name, "it is `guests` or `tokens`")),
        };
        let secret_file = secret_file(settings);
        if secret_file.is_some() && !is_tokens {
            let why = "a secret is of use with --auth tokens only; add that, or leave the file out";
            return Err(settings.wrong(SECRET_FILE.name, why));
        }
        Ok(Self { is_tokens, is_given: settings.origin(AUTH.name) != Origin::Default, secret_file })
    }
}

/// The game with the choice in it.
pub(crate) fn apply(game: Game, options: &AuthOptions, keys: &Keys) -> Result<Game, Failure> {
    if !game.is_open_to_guests() {
        return if options.is_given { Err(decides_itself()) } else { Ok(game) };
    }
    if !options.is_tokens {
        return Ok(game);
    }
    let secret = match &options.secret_file {
        Some(path) => read_secret(path)?,
        None => {
            keys.make_token_secret()?;
            read_secret(&keys.token_secret())?
        }
    };
    let tokens = SignedTokens::hs256(&secret).map_err(|e| Failure::new(e.to_string(), ""))?;
    let audience = game.descriptor().game.clone();
    Ok(game.authenticate(tokens.audience(audience)))
}

/// A game that chose its own way leaves nothing to choose.
pub(super) fn decides_itself() -> Failure {
    Failure::new(
        "this game has its own way to let players in",
        "leave --auth out, and get tokens where it says",
    )
}

pub(super) fn secret_file(settings: &Settings) -> Option<PathBuf> {
    Some(settings.text(SECRET_FILE.name)).filter(|text| !text.is_empty()).map(PathBuf::from)
}

/// The secret of a file: its bytes without the end of a line behind them, which editors and `echo` leave there.
pub(super) fn read_secret(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut secret = Vec::new();
    let mut read = || File::open(path)?.take(limits::SECRET_BYTES_MAX + 1).read_to_end(&mut secret);
    let length = read().map_err(|e| {
        Failure::new(
            format!("cannot read the secret of tokens, {}: {e}", path.display()),
            "start the server once with --auth tokens, which makes one, or name another with --auth-secret-file",
        )
    })?;
    if length as u64 > limits::SECRET_BYTES_MAX {
        let why = format!("{} has more than {} bytes", path.display(), limits::SECRET_BYTES_MAX);
        return Err(Failure::new(why, "it should hold 32 random bytes or more"));
    }
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.len() < limits::SECRET_BYTES_MIN {
        let why = format!(
            "the secret in {} has fewer than {} bytes and can be guessed",
            path.display(),
            limits::SECRET_BYTES_MIN
        );
        return Err(Failure::new(why, "write a longer one, or remove the file in --data to have one made"));
    }
    Ok(secret)
}
