//! Counts what test runners print.
//!
//! *Responsible for*: reading `N passed, N failed` off the output of cargo's test harness and of node's test runner.
//! *Not responsible for*: exit codes; a run with a bad one failed, whatever it printed.

/// How many tests passed and failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    /// Those that passed.
    pub(crate) passed: u64,
    /// Those that failed.
    pub(crate) failed: u64,
}

impl Tally {
    /// A tally of one check.
    pub(crate) fn of(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// Adds another tally.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Takes a line of output into account.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.read_cargo(counts);
        } else if let Some(counts) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
            self.read_node(counts);
        }
    }

    /// `ok. 12 passed; 0 failed; 0 ignored; …`
    fn read_cargo(&mut self, counts: &str) {
        let counts = counts.split_once(". ").map_or(counts, |(_, rest)| rest);
        for part in counts.split("; ") {
            let (number, word) = part.split_once(' ').unwrap_or_default();
            let number = number.parse::<u64>().unwrap_or(0);
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }

    /// `pass 12`, `fail 0`, `cancelled 0`: in the TAP and in the spec reporter.
    fn read_node(&mut self, counts: &str) {
        let Some((word, number)) = counts.split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn read(text: &str) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn counts_of_cargo_are_added_up() {
        let text = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s\n";
        assert_eq!(read(text), Tally { passed: 5, failed: 4 });
    }

    #[test]
    fn counts_of_both_node_reporters_are_read() {
        assert_eq!(read("# tests 4\n# pass 3\n# fail 1\n# cancelled 0\n"), Tally { passed: 3, failed: 1 });
        assert_eq!(
            read("ℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\n"),
            Tally { passed: 2, failed: 2 }
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(read("# pass word\npassed 3\n7 passed\n# a heading\n"), Tally::default());
    }
}
