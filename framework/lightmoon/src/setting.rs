//! Settings: one table, four places a value may come from.
//!
//! *Responsible for*: flag > `LIGHTMOON_*` > `lightmoon.toml` > default, and refusing names nobody knows. *Not
//! responsible for*: reading the environment or files (`config`), meaning of values (`options`).
//!
//! Invariants:
//! - I1: a name that is in no table is an error wherever it is given: a typing mistake is never silently a default.

use crate::Failure;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// One setting: `--name VALUE`, `LIGHTMOON_NAME`, or `name = …` in `lightmoon.toml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its name: lower-case words joined by `-`.
    pub name: &'static str,
    /// What stands for the value in help texts, upper case.
    pub value: &'static str,
    /// The value when none is given; empty for none.
    pub default: &'static str,
    /// One sentence: what it does, in which unit and range.
    pub help: &'static str,
}

/// Where a value came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// `lightmoon.toml` in the current folder.
    File,
    /// A `LIGHTMOON_*` variable.
    Environment,
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "lightmoon.toml",
            Self::Environment => "environment",
            Self::Flag => "command line",
        })
    }
}

/// The values of a table of settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    values: BTreeMap<&'static str, (String, Origin)>,
}

/// The values given outside the table's defaults, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Given {
    pub(crate) flags: BTreeMap<String, String>,
    /// By the variable's name after `LIGHTMOON_`.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) file: BTreeMap<String, String>,
}

impl Settings {
    /// The defaults of `table`, for programs and tests that start without a command line.
    #[must_use]
    pub fn defaults(table: &[Setting]) -> Self {
        let values = table
            .iter()
            .map(|setting| (setting.name, (setting.default.to_owned(), Origin::Default)))
            .collect();
        Self { values }
    }

    /// This value for `name`, as if it had been given on the command line.
    ///
    /// # Panics
    /// No setting is called `name`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let entry = self.values.get_mut(name).unwrap_or_else(|| panic!("no setting is called {name}"));
        *entry = (value.into(), Origin::Flag);
        self
    }

    /// The value of each setting of `table` from the first place that gives one.
    pub(crate) fn layered(table: &[Setting], given: Given) -> Result<Self, Failure> {
        let mut settings = Self::defaults(table);
        for (key, value) in given.file {
            settings.set(table, &key, value, Origin::File)?;
        }
        for (key, value) in given.environment {
            let name = key.to_ascii_lowercase().replace('_', "-");
            settings.set(table, &name, value, Origin::Environment)?;
        }
        for (key, value) in given.flags {
            settings.set(table, &key, value, Origin::Flag)?;
        }
        Ok(settings)
    }

    fn set(&mut self, table: &[Setting], name: &str, value: String, origin: Origin) -> Result<(), Failure> {
        match table.iter().find(|setting| setting.name == name) {
            Some(setting) => {
                self.values.insert(setting.name, (value, origin));
                Ok(())
            }
            None => {
                let names: Vec<&str> = table.iter().map(|setting| setting.name).collect();
                Err(Failure::new(
                    format!("no setting is called `{}` ({origin})", spelled(name, origin)),
                    format!("remove it or use one of: {}", names.join(", ")),
                ))
            }
        }
    }

    /// The value as text; empty when there is none.
    ///
    /// # Panics
    /// No setting is called `name`.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        &self.entry(name).0
    }

    /// Where the value came from.
    ///
    /// # Panics
    /// No setting is called `name`.
    #[must_use]
    pub fn origin(&self, name: &str) -> Origin {
        self.entry(name).1
    }

    /// The value as a `T`.
    ///
    /// # Errors
    /// It cannot be read as one; exit code 2 if it was given on the command line.
    ///
    /// # Panics
    /// No setting is called `name`.
    pub fn parse<T>(&self, name: &str) -> Result<T, Failure>
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.text(name).parse().map_err(|e: T::Err| self.wrong(name, &e.to_string()))
    }

    /// A failure that names the setting, its value and where it came from.
    #[must_use]
    pub fn wrong(&self, name: &str, why: &str) -> Failure {
        let (text, origin) = self.entry(name);
        let what = format!("`{text}` is no good value of {} ({origin})", spelled(name, *origin));
        match origin {
            Origin::Flag => Failure::wrong_arguments(what, why),
            Origin::Default | Origin::File | Origin::Environment => Failure::new(what, why),
        }
    }

    fn entry(&self, name: &str) -> &(String, Origin) {
        self.values.get(name).unwrap_or_else(|| panic!("no setting is called {name}"))
    }
}

impl fmt::Display for Settings {
    /// One line each: name, value, origin. Every line but those of secrets' is valid in `lightmoon.toml`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, (text, origin)) in &self.values {
            writeln!(f, "{:40} # {origin}", format!("{name} = {text:?}"))?;
        }
        Ok(())
    }
}

/// A setting as it is written where it came from.
fn spelled(name: &str, origin: Origin) -> String {
    match origin {
        Origin::Flag => format!("--{name}"),
        Origin::Environment => format!("LIGHTMOON_{}", name.to_ascii_uppercase().replace('-', "_")),
        Origin::File | Origin::Default => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Setting; 2] = [
        Setting { name: "listen", value: "ADDR", default: "127.0.0.1:4433", help: "" },
        Setting { name: "ready-json", value: "FILE", default: "", help: "" },
    ];

    fn one(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_nearer_place_wins_and_is_named() {
        let mut given = Given::default();
        let read = |given: &Given| {
            let settings = Settings::layered(&TABLE, given.clone()).unwrap();
            (settings.text("ready-json").to_owned(), settings.origin("ready-json"))
        };
        assert_eq!(read(&given), (String::new(), Origin::Default));
        given.file = one("ready-json", "file");
        assert_eq!(read(&given), ("file".to_owned(), Origin::File));
        given.environment = one("READY_JSON", "environment");
        assert_eq!(read(&given), ("environment".to_owned(), Origin::Environment));
        given.flags = one("ready-json", "flag");
        assert_eq!(read(&given), ("flag".to_owned(), Origin::Flag));
    }

    #[test]
    fn an_unknown_name_is_refused_wherever_it_is_given() {
        for given in [
            Given { file: one("lisen", "x"), ..Given::default() },
            Given { environment: one("LISEN", "x"), ..Given::default() },
        ] {
            let failure = Settings::layered(&TABLE, given).unwrap_err().to_string();
            assert!(failure.to_lowercase().contains("lisen"), "{failure}");
            assert!(failure.contains("listen, ready-json"), "{failure}");
        }
    }

    #[test]
    fn a_bad_value_names_itself_its_setting_and_its_origin() {
        let given = Given { environment: one("LISTEN", "nowhere"), ..Given::default() };
        let settings = Settings::layered(&TABLE, given).unwrap();
        let failure = settings.parse::<std::net::SocketAddr>("listen").unwrap_err();
        assert!(failure.to_string().contains("`nowhere` is no good value of LIGHTMOON_LISTEN"), "{failure}");
        assert_eq!(failure.code(), 1);
        let settings = Settings::defaults(&TABLE).with("listen", "nowhere");
        assert_eq!(settings.parse::<std::net::SocketAddr>("listen").unwrap_err().code(), 2);
    }
}
