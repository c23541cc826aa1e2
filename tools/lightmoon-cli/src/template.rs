//! The small game that `lightmoon new` makes.
//!
//! *Responsible for*: its files, with names put in. *Not responsible for*: writing them.
//!
//! The files are those of the folder `template` beside the sources. A test makes the game, builds it and plays it in a browser.

use std::str::FromStr;

use thiserror::Error;

/// Characters of a name: folders and packages have room for more, people do not.
const NAME_MAX: usize = 40;

/// A game's name: one that a folder, a package and contracts can have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(String);

/// Why a name cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum BadName {
    /// It has characters that packages have not.
    #[error("use lower-case letters, digits and dashes, with a letter first and no dash last")]
    Characters,
    /// It is too long.
    #[error("use at most {NAME_MAX} characters")]
    Long,
    /// It is a word that Rust needs, or a name that packages of Lightmoon have.
    #[error("it is taken; choose another one")]
    Taken,
}

/// Packages that a game stands on: it cannot have their names.
const TAKEN: [&str; 7] =
    ["lightmoon", "lightmoon-bots", "lightmoon-contract", "bevy-ecs", "std", "core", "test"];

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it: `my-game` is "My game".
    #[must_use]
    pub fn title(&self) -> String {
        let (first, rest) = self.0.split_at(1);
        format!("{}{}", first.to_uppercase(), rest.replace('-', " "))
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if text.len() > NAME_MAX {
            return Err(BadName::Long);
        }
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let has_letter_first = text.starts_with(|letter: char| letter.is_ascii_lowercase());
        if !has_letter_first || !text.chars().all(is_plain) || text.ends_with('-') {
            return Err(BadName::Characters);
        }
        if TAKEN.contains(&text) { Err(BadName::Taken) } else { Ok(Self(text.to_owned())) }
    }
}

/// Files by their paths.
const FILES: [(&str, &str); 11] = [
    ("Cargo.toml", include_str!("../template/Cargo.toml.in")),
    (".gitignore", include_str!("../template/gitignore")),
    ("README.md", include_str!("../template/README.md")),
    ("contracts.lock", include_str!("../template/contracts.lock")),
    ("src/main.rs", include_str!("../template/src/main.rs")),
    ("src/game.rs", include_str!("../template/src/game.rs")),
    ("src/bots.rs", include_str!("../template/src/bots.rs")),
    ("page/index.html", include_str!("../template/page/index.html")),
    ("page/style.css", include_str!("../template/page/style.css")),
    ("page/main.js", include_str!("../template/page/main.js")),
    ("page/contracts.js", include_str!("../template/page/contracts.js")),
];

/// The files of a new game: paths within its folder, and texts. `lightmoon` is the path of a checkout of Lightmoon.
#[must_use]
pub fn render(name: &Name, lightmoon: &str) -> Vec<(&'static str, String)> {
    let fill = |text: &str| {
        text.replace("{{name}}", name.as_str())
            .replace("{{title}}", &name.title())
            .replace("{{lightmoon}}", lightmoon)
    };
    FILES.iter().map(|(path, text)| (*path, fill(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_package_can_have_are_refused() {
        for (text, expected) in [
            ("", BadName::Characters),
            ("My-Game", BadName::Characters),
            ("1st", BadName::Characters),
            ("a/b", BadName::Characters),
            ("game-", BadName::Characters),
            ("lightmoon", BadName::Taken),
            (&"a".repeat(41), BadName::Long),
        ] {
            assert_eq!(text.parse::<Name>(), Err(expected), "{text}");
        }
        assert_eq!("my-2nd-game".parse::<Name>().unwrap().title(), "My 2nd game");
    }

    #[test]
    fn every_place_for_a_name_is_filled() {
        let files = render(&"my-game".parse().unwrap(), "/somewhere");
        for (path, text) in &files {
            assert!(!text.contains("{{"), "{path}");
        }
        let manifest = &files.iter().find(|(path, _)| *path == "Cargo.toml").unwrap().1;
        assert!(
            manifest.contains("name = \"my-game\"") && manifest.contains("/somewhere/framework/lightmoon")
        );
    }

    #[test]
    fn its_rules_are_short() {
        let rules = FILES.iter().find(|(path, _)| *path == "src/game.rs").unwrap().1;
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let count = rules.lines().filter(is_code).count();
        assert!(count < 60, "{count} lines of code");
    }
}
