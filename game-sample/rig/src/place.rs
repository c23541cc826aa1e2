//! Where programs run, and with what.
//!
//! *Responsible for*: the sample's program, a folder for all that it writes. *Not responsible for*: its arguments.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::limits::LOOK_EVERY;

/// The sample's program, and the folder in which it runs.
#[derive(Clone, Debug)]
pub struct Place {
    /// The sample's program.
    pub binary: PathBuf,
    /// Data, `ready.json` and logs lie in it.
    pub folder: PathBuf,
}

impl Place {
    /// A place in `folder`, which is made if need be, with the program that was named, or else the one beside this program.
    ///
    /// # Errors
    /// There is no such program, or the folder cannot be made.
    pub fn new(named: Option<&Path>, folder: PathBuf) -> Result<Self> {
        let binary = match named {
            Some(path) => path.canonicalize().with_context(|| format!("no program {}", path.display()))?,
            None => std::env::current_exe()?.with_file_name("game-sample"),
        };
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { binary, folder })
    }

    /// A folder that no other run has, which is not made yet.
    #[must_use]
    pub fn own_folder(purpose: &str) -> PathBuf {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        std::env::temp_dir().join(format!("{purpose}-{}-{}", std::process::id(), since.as_millis()))
    }

    /// A file in its folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What the server writes when it is ready.
    #[must_use]
    pub fn ready_json(&self) -> PathBuf {
        self.file("ready.json")
    }

    /// The server's data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.file("data")
    }

    /// The sample's program; what it says is added to a log.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn command(&self, log: &str) -> Result<Command> {
        let path = self.file(log);
        let log = File::options().create(true).append(true).open(&path);
        let log = log.with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

/// Waits for the end of a child; over time it is killed.
///
/// # Errors
/// It did not end in time.
pub fn await_end(child: &mut Child, within: Duration) -> Result<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot look at a child")? {
            return Ok(status);
        }
        if began.elapsed() > within {
            child.kill().context("cannot end a child")?;
            child.wait().context("cannot wait for a child")?;
            bail!("it did not end within {within:?} and was killed");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_does_not_end_is_killed_and_told_of() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert!(await_end(&mut child, Duration::from_millis(20)).is_err());
        assert!(child.try_wait().unwrap().is_some());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let folder = Place::own_folder("game-sample-rig-none");
        let error = Place::new(Some(Path::new("/no/such/program")), folder).unwrap_err();
        assert!(error.to_string().contains("/no/such/program"));
    }
}
