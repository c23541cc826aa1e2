//! The verb `token`: a token for one player, from the server's own secret.
//!
//! *Responsible for*: operators and scripts that want to log in where guests may not. *Not responsible for*: a login
//! service; that signs with the same secret, in any language.

use super::choice::{SECRET_FILE, decides_itself, read_secret, secret_file};
use super::{Claims, Issuer};
use crate::keys::token_secret_in;
use crate::options::DATA;
use crate::setting::{Setting, Settings};
use crate::{Failure, clock, limits};
use lightmoon_node::Game;
use std::path::Path;

/// Name and meaning of the verb.
pub(crate) const TOKEN_VERB: (&str, &str) =
    ("token", "prints a signed token, with which a client logs in where --auth is tokens");

/// The settings of `token`.
pub(crate) const TOKEN: &[Setting] = &[
    DATA,
    SECRET_FILE,
    Setting { name: "player", value: "N", default: "", help: "Key of the player, from 1 to 2^64 - 1" },
    Setting {
        name: "hours",
        value: "H",
        default: "24",
        help: "For how long the token is good, from 1 to 8784",
    },
    Setting { name: "roles", value: "A,B", default: "", help: "Roles of the player, joined by commas" },
];

/// The token that the settings ask for, for `game`.
pub(crate) fn run(game: &Game, settings: &Settings) -> Result<String, Failure> {
    if !game.is_open_to_guests() {
        return Err(decides_itself());
    }
    if settings.text("player").is_empty() {
        return Err(Failure::wrong_arguments("a token is for a player, and none is named", "add --player N"));
    }
    let player: u64 = settings.parse("player")?;
    if player == 0 {
        return Err(settings.wrong("player", "players count from 1"));
    }
    let hours: u64 = settings.parse("hours")?;
    if !(1..=limits::TOKEN_HOURS_MAX).contains(&hours) {
        let why = format!("it is from 1 to {}", limits::TOKEN_HOURS_MAX);
        return Err(settings.wrong("hours", &why));
    }
    let path = secret_file(settings).unwrap_or_else(|| token_secret_in(Path::new(settings.text(DATA.name))));
    let issuer = Issuer::hs256(&read_secret(&path)?).map_err(|e| Failure::new(e.to_string(), ""))?;
    let roles = settings.text("roles").split(',').filter(|role| !role.is_empty());
    let claims = Claims::of_player(player, clock::unix_seconds() + hours * 60 * 60)
        .audience(&game.descriptor().game)
        .roles(roles);
    let token = issuer.sign(&claims);
    if token.len() > limits::TOKEN_BYTES_MAX {
        let why = format!("a token has at most {} bytes, name fewer", limits::TOKEN_BYTES_MAX);
        return Err(settings.wrong("roles", &why));
    }
    Ok(token)
}
