//! Where settings come from: command line, environment, `lightmoon.toml`.
//!
//! *Responsible for*: reading the three and building the command line's grammar. *Not responsible for*: which wins
//! (`setting`), what they mean (`options`). The only module that reads the environment.

use crate::setting::{Given, Setting};
use crate::{Failure, limits};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

/// The file of settings, looked for in the current folder.
pub(crate) const FILE: &str = "lightmoon.toml";
/// What variables of the environment begin with.
const PREFIX: &str = "LIGHTMOON_";

/// A verb as the command line knows it.
#[derive(Clone, Copy)]
pub(crate) struct VerbGrammar<'a> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) table: &'a [Setting],
}

/// What a command line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// Run this verb with these flags; `print_config` instead of running.
    Verb { name: String, flags: BTreeMap<String, String>, print_config: bool },
    /// Show this text and leave with exit code 0.
    Text(String),
}

/// Reads a command line. The first verb of `verbs` is meant when none is named.
pub(crate) fn arguments(
    about: &str,
    version: &'static str,
    verbs: &[VerbGrammar<'_>],
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Asked, Failure> {
    let default = &verbs[0];
    let mut command = with_settings(Command::new("game"), default.table)
        .version(version)
        .about(format!("{about}\n\nWithout a verb: {} ({}).", default.name, default.about))
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true);
    for verb in verbs {
        command = command.subcommand(with_settings(Command::new(verb.name).about(verb.about), verb.table));
    }
    let matches = match command.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return Ok(Asked::Text(error.to_string())),
        Err(error) => return Err(wrong_arguments(&error.to_string())),
    };
    let (name, matches) = matches.subcommand().unwrap_or((default.name, &matches));
    let table = verbs.iter().find(|verb| verb.name == name).map_or(default.table, |verb| verb.table);
    Ok(Asked::Verb {
        name: name.to_owned(),
        flags: flags(table, matches),
        print_config: matches.get_flag("print-config"),
    })
}

fn with_settings(command: Command, table: &[Setting]) -> Command {
    let command = command.arg(
        Arg::new("print-config")
            .long("print-config")
            .action(ArgAction::SetTrue)
            .help("Shows every setting, its value and where that came from, and does nothing else"),
    );
    table.iter().fold(command, |command, setting| {
        let default = if setting.default.is_empty() {
            String::new()
        } else {
            format!(" [default: {}]", setting.default)
        };
        command.arg(
            Arg::new(setting.name)
                .long(setting.name)
                .value_name(setting.value)
                .help(format!("{}{default}", setting.help)),
        )
    })
}

fn flags(table: &[Setting], matches: &ArgMatches) -> BTreeMap<String, String> {
    let given = |setting: &Setting| {
        matches.get_one::<String>(setting.name).map(|value| (setting.name.to_owned(), value.clone()))
    };
    table.iter().filter_map(given).collect()
}

/// The first sentence of what the parser says; the rest is usage, which `--help` shows better.
fn wrong_arguments(error: &str) -> Failure {
    let first = error.lines().next().unwrap_or_default();
    Failure::wrong_arguments(first.trim_start_matches("error: "), "see --help for what there is")
}

/// Variables of this prefix that mean something to builds, not to servers: whoever set one to build may also run.
const OF_BUILDS: [&str; 1] = ["LOCKED"];

/// The variables that begin with `LIGHTMOON_`, without that.
pub(crate) fn environment() -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    for (key, value) in std::env::vars_os() {
        let Some(name) = key.to_str().and_then(|key| key.strip_prefix(PREFIX)) else { continue };
        if OF_BUILDS.contains(&name) {
            continue;
        }
        let Some(value) = value.to_str() else {
            return Err(Failure::new(format!("the value of {PREFIX}{name} is not UTF-8"), "set another one"));
        };
        found.insert(name.to_owned(), value.to_owned());
    }
    Ok(found)
}

/// The keys of `path`; none when there is no such file.
pub(crate) fn file(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let shown = path.display();
    let cannot = |e: std::io::Error| {
        Failure::new(
            format!("cannot read {shown}: {e}"),
            "make it readable, or remove it to use the defaults",
        )
    };
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(e) => return Err(cannot(e)),
    };
    if length > limits::CONFIG_BYTES_MAX {
        return Err(Failure::new(
            format!("{shown} is larger than {} bytes", limits::CONFIG_BYTES_MAX),
            "it should hold lines like `listen = \"127.0.0.1:4433\"`",
        ));
    }
    table(&std::fs::read_to_string(path).map_err(cannot)?)
        .map_err(|why| Failure::new(format!("{shown} is not understood: {why}"), "correct it or remove it"))
}

/// Flat keys with values that are text, numbers or truths.
fn table(text: &str) -> Result<BTreeMap<String, String>, String> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        // One line: the message, without the drawing of the place.
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        format!("line {line}: {}", e.message())
    })?;
    table
        .into_iter()
        .map(|(key, value)| match value {
            toml::Value::String(text) => Ok((key, text)),
            toml::Value::Integer(number) => Ok((key, number.to_string())),
            toml::Value::Boolean(truth) => Ok((key, truth.to_string())),
            toml::Value::Float(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)
            | toml::Value::Table(_) => Err(format!("`{key}` must be text, a whole number, true or false")),
        })
        .collect()
}

/// Everything that is given: flags, and for the server the environment and the file of the current folder.
pub(crate) fn gather(flags: BTreeMap<String, String>) -> Result<Given, Failure> {
    Ok(Given { flags, environment: environment()?, file: file(Path::new(FILE))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTEN: [Setting; 1] = [Setting { name: "listen", value: "ADDR", default: "x", help: "Where." }];
    const COUNT: [Setting; 1] = [Setting { name: "count", value: "N", default: "1", help: "How many." }];

    fn ask(words: &[&str]) -> Result<Asked, Failure> {
        let verbs = [
            VerbGrammar { name: "serve", about: "runs the server", table: &LISTEN },
            VerbGrammar { name: "bots", about: "plays", table: &COUNT },
        ];
        arguments(
            "A game",
            "1.2.3",
            &verbs,
            std::iter::once("game").chain(words.iter().copied()).map(OsString::from),
        )
    }

    fn verb(name: &str, flag: Option<(&str, &str)>) -> Asked {
        let flags = flag.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Asked::Verb { name: name.to_owned(), flags, print_config: false }
    }

    #[test]
    fn the_first_verb_is_meant_when_none_is_named() {
        assert_eq!(ask(&[]), Ok(verb("serve", None)));
        assert_eq!(ask(&["--listen", "a"]), Ok(verb("serve", Some(("listen", "a")))));
        assert_eq!(ask(&["serve", "--listen=a"]), Ok(verb("serve", Some(("listen", "a")))));
        assert_eq!(ask(&["bots", "--count", "5"]), Ok(verb("bots", Some(("count", "5")))));
    }

    #[test]
    fn wrong_arguments_are_one_sentence_and_exit_code_2() {
        for words in [&["--lisen", "a"][..], &["fly"], &["bots", "--listen", "a"], &["--listen"]] {
            let failure = ask(words).unwrap_err();
            assert_eq!(failure.code(), 2, "{failure}");
            assert_eq!(failure.to_string().lines().count(), 1, "{failure}");
        }
    }

    #[test]
    fn help_states_verbs_and_defaults() {
        let Asked::Text(help) = ask(&["--help"]).unwrap() else { panic!("help is text") };
        for part in ["bots", "--listen <ADDR>", "[default: x]", "--print-config"] {
            assert!(help.contains(part), "{part} in {help}");
        }
        assert!(matches!(ask(&["--version"]), Ok(Asked::Text(text)) if text.contains("1.2.3")));
    }

    #[test]
    fn a_file_of_flat_keys_is_read_and_others_are_refused_with_their_line() {
        let read = table("listen = \"a\"\nbots = 50\nquiet = true\n").unwrap();
        assert_eq!(
            read.into_iter().collect::<Vec<_>>(),
            [
                ("bots".to_owned(), "50".to_owned()),
                ("listen".to_owned(), "a".to_owned()),
                ("quiet".to_owned(), "true".to_owned()),
            ]
        );
        assert!(table("a = 1\nb = \n").unwrap_err().starts_with("line 2"));
        assert!(table("[net]\nlisten = 1").unwrap_err().contains("`net`"));
    }
}
