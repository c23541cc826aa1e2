//! The embedded store: commits of 1, 100 and 1,000 records, and random reads, beside the bare engine and the disk.
//!
//! *Responsible for*: the bodies. *Not responsible for*: whether what is stored lasts; `lightmoon-store-files` tests that.
//!
//! Keys of 8 bytes, values of 192, 200,000 records present, random upserts, one `fdatasync` for each commit. The limit is
//! a file to which the same bytes are appended with `pwrite` and `fdatasync`. The store's commits pass through its queue,
//! its thread, a condition, records and the anchor. Ratios are of times: a goal of at least 0.4 of the disk's commits per
//! second stands here as at most 2.5 times its time.
//!
//! The caller parks while it waits and is woken, as a node does. With `64-at-once` as many callers as there are players of a
//! busy second commit one record each, and share syncs; times are for one commit.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use lightmoon_contract::Mono;
use lightmoon_store::{
    Area, Change, Condition, Done, Field, Head, Is, KeyRange, Outcome, Page, Partition, Request, Row, Space,
    Store, Test, Ticket,
};
use lightmoon_store_files::{FilesOptions, FilesStore};

use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times};

const VALUE_BYTES: usize = 192;
/// Partitions that share the records.
const PARTITIONS: u64 = 256;
/// Reads in one repetition: many, so that starting and stopping does not count.
const READS: u64 = 512;
/// Reads under way at once: what a node asks in one turn when actors wake up.
const READS_AT_ONCE: u64 = 256;

/// Commits under way at once, each of another partition.
const AT_ONCE: u64 = 64;

/// Records for each commit, and how many times the disk's time it may take: 1 / 1.0, 1 / 0.4, 1 / 0.22.
const GROUPS: [(usize, f64); 3] = [(1, 1.0), (100, 2.5), (1_000, 1.0 / 0.22)];
/// One sync for each, and a commit thread that hands them over one by one, would be 1.
const GOAL_AT_ONCE: Goal = Goal::Ratio(0.2);
/// 1 / 0.8 of the engine's reads per second.
const GOAL_READS: Goal = Goal::Ratio(1.25);

/// Measures commits and reads.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let records = if effort == Effort::FULL { 200_000 } else { 2_000 };
    let folder = Folder::new("store");
    let mut ours = Ours::open(&folder.0.join("ours"), records);
    let mut bare = Bare::open(&folder.0.join("bare"), records);
    let mut disk = Disk::open(&folder.0.join("disk"));
    let mut figures = Vec::new();
    for (count, goal) in GROUPS {
        let times = {
            let mut bodies: [Body<'_>; 3] = [
                Box::new(|times| (0..times).for_each(|_| ours.commit(count))),
                Box::new(|times| (0..times).for_each(|_| bare.commit(count))),
                Box::new(|times| (0..times).for_each(|_| disk.commit(count))),
            ];
            Times::measure(effort, &mut bodies)
        };
        let figure = |variant: &str, body, other, beside, goal| Figure {
            name: format!("store.commit-{count}.{variant}"),
            value: times.of(body) * 1e-3,
            unit: "us",
            ratio: times.ratio(body, other),
            beside,
            goal,
        };
        figures.push(figure("ours", 0, 2, "pwrite+fdatasync", Some(Goal::Ratio(goal))));
        figures.push(figure("ours", 0, 1, "fjall 3.1.13", None));
        figures.push(figure("fjall", 1, 2, "pwrite+fdatasync", None));
    }
    figures.push(many_callers(effort, &mut ours, &mut disk));
    let times = {
        let mut bodies: [Body<'_>; 2] = [
            Box::new(|times| (0..times).for_each(|_| ours.read())),
            Box::new(|times| (0..times).for_each(|_| bare.read())),
        ];
        Times::measure(effort, &mut bodies)
    };
    figures.push(Figure {
        name: "store.read.ours".to_owned(),
        value: times.of(0) / u64_as_f64(READS),
        unit: "ns",
        ratio: times.ratio(0, 1),
        beside: "fjall 3.1.13",
        goal: Some(GOAL_READS),
    });
    figures
}

/// Commits of one record by many callers at once.
fn many_callers(effort: Effort, ours: &mut Ours, disk: &mut Disk) -> Figure {
    let times = {
        let mut bodies: [Body<'_>; 2] = [
            Box::new(|times| (0..times).for_each(|_| ours.commit_at_once())),
            Box::new(|times| (0..times).for_each(|_| disk.commit(1))),
        ];
        Times::measure(effort, &mut bodies)
    };
    Figure {
        name: "store.commit-1.64-at-once".to_owned(),
        value: times.of(0) * 1e-3 / u64_as_f64(AT_ONCE),
        unit: "us",
        ratio: times.ratio(0, 1) / u64_as_f64(AT_ONCE),
        beside: "pwrite+fdatasync",
        goal: Some(GOAL_AT_ONCE),
    }
}

/// A folder on the disk that the build is on; removed in the end.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(area: &str) -> Self {
        let name = format!("../target/bench-{area}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        fs::create_dir_all(&folder).expect("the folder of builds can be written");
        Self(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is removed with the builds.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Names of records and their values, by chance.
struct Chance {
    random: fastrand::Rng,
    records: u64,
}

impl Chance {
    fn new(records: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(1), records }
    }

    fn key(&mut self) -> u64 {
        self.random.u64(..self.records / PARTITIONS)
    }

    fn partition(&mut self) -> u64 {
        self.random.u64(..PARTITIONS)
    }

    fn value(&mut self) -> Vec<u8> {
        let mut value = vec![0; VALUE_BYTES];
        self.random.fill(&mut value);
        value
    }
}

struct Ours {
    store: FilesStore,
    chance: Chance,
    /// The sequence number of each partition.
    numbers: Vec<u64>,
}

const SEQ: Field = Field(1);

impl Ours {
    fn open(folder: &Path, records: u64) -> Self {
        let caller = std::thread::current();
        let options = FilesOptions { ballast_bytes: 0, ..FilesOptions::default() };
        let (store, _) = FilesStore::open(folder, options, move || caller.unpark()).expect("the store opens");
        let mut ours = Self { store, chance: Chance::new(records), numbers: Vec::new() };
        for number in 0..PARTITIONS {
            let keys: Vec<u64> = (0..records / PARTITIONS).collect();
            let changes = keys.into_iter().map(|key| ours.change(key)).collect();
            ours.send(number, Condition::Absent, 0, changes);
            ours.numbers.push(0);
        }
        ours
    }

    fn change(&mut self, key: u64) -> Change {
        let key = Bytes::copy_from_slice(&key.to_be_bytes());
        Change::Put(Row { key, value: self.chance.value().into() })
    }

    /// Commits and waits.
    fn send(&mut self, number: u64, condition: Condition, seq: u64, changes: Vec<Change>) {
        self.submit(number, condition, seq, changes);
        assert_eq!(self.next(), Outcome::Done(Done::Written));
    }

    fn submit(&mut self, number: u64, condition: Condition, seq: u64, changes: Vec<Change>) {
        let request = Request::Commit {
            partition: partition(number),
            condition,
            head: Head::of([(SEQ, seq)]),
            changes,
        };
        self.store.submit(Ticket(number), request).expect("the queue has room");
    }

    fn next(&mut self) -> Outcome {
        loop {
            if let Some((_, outcome)) = self.store.poll(Mono(0)) {
                return outcome;
            }
            std::thread::park();
        }
    }

    fn commit(&mut self, count: usize) {
        let number = self.chance.partition();
        let changes = (0..count).map(|_| self.chance.key()).collect::<Vec<_>>();
        let changes = changes.into_iter().map(|key| self.change(key)).collect();
        let place = usize::try_from(number).expect("few partitions");
        let seq = self.numbers[place];
        let condition = Condition::Holds(vec![Test { field: SEQ, is: Is::Equal, value: seq }]);
        self.send(number, condition, seq + 1, changes);
        self.numbers[place] = seq + 1;
    }

    /// Commits one record in each of many partitions, all under way at once.
    fn commit_at_once(&mut self) {
        let first = self.chance.partition() / AT_ONCE * AT_ONCE;
        for number in first..first + AT_ONCE {
            let key = self.chance.key();
            let changes = vec![self.change(key)];
            let seq = &mut self.numbers[usize::try_from(number).expect("few partitions")];
            let condition = Condition::Holds(vec![Test { field: SEQ, is: Is::Equal, value: *seq }]);
            *seq += 1;
            let seq = *seq;
            self.submit(number, condition, seq, changes);
        }
        (0..AT_ONCE).for_each(|_| assert_eq!(self.next(), Outcome::Done(Done::Written)));
    }

    fn read(&mut self) {
        for number in 0..READS + READS_AT_ONCE {
            if number >= READS_AT_ONCE {
                let outcome = self.next();
                assert!(
                    matches!(outcome, Outcome::Done(Done::Page(Page { ref rows, .. })) if rows.len() == 1)
                );
            }
            if number >= READS {
                continue;
            }
            let from = Bytes::copy_from_slice(&self.chance.key().to_be_bytes());
            let to = Some([&from[..], &[0]].concat().into());
            let (area, partition) = (Area::Commits, partition(self.chance.partition()));
            let request =
                Request::Read { area, partition, keys: KeyRange { from, to }, limit: 1, serial: true };
            self.store.submit(Ticket(number), request).expect("the queue has room");
        }
    }
}

fn partition(number: u64) -> Partition {
    Partition { space: Space(1), key: Bytes::copy_from_slice(&number.to_be_bytes()) }
}

/// The engine without us.
struct Bare {
    database: Database,
    rows: Keyspace,
    chance: Chance,
}

impl Bare {
    fn open(folder: &Path, records: u64) -> Self {
        let database = Database::builder(folder).worker_threads(1).open().expect("the engine opens");
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default).expect("a keyspace is made");
        let mut bare = Self { database, rows, chance: Chance::new(records) };
        for key in 0..records {
            let value = bare.chance.value();
            bare.rows.insert(key.to_be_bytes(), value).expect("it is written");
        }
        bare
    }

    fn any(&mut self) -> u64 {
        self.chance.key() * PARTITIONS + self.chance.partition()
    }

    fn commit(&mut self, count: usize) {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for _ in 0..count {
            let (key, value) = (self.any(), self.chance.value());
            batch.insert(&self.rows, key.to_be_bytes(), value);
        }
        batch.commit().expect("it is written");
    }

    fn read(&mut self) {
        for _ in 0..READS {
            let key = self.any();
            assert!(self.rows.get(key.to_be_bytes()).expect("it is read").is_some());
        }
    }
}

/// A file that grows.
struct Disk {
    file: File,
    end: u64,
    chance: Chance,
}

impl Disk {
    fn open(path: &Path) -> Self {
        let file = File::create_new(path).expect("a file is made");
        Self { file, end: 0, chance: Chance::new(1 << 32) }
    }

    fn commit(&mut self, count: usize) {
        let mut bytes = Vec::with_capacity(count * (VALUE_BYTES + 8));
        for _ in 0..count {
            bytes.extend(self.chance.key().to_be_bytes());
            bytes.extend(self.chance.value());
        }
        write_at(&self.file, &bytes, self.end).expect("it is written");
        self.file.sync_data().expect("it is synced");
        self.end += bytes.len() as u64;
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    use std::io::{Seek as _, SeekFrom, Write as _};
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "a small count")]
const fn u64_as_f64(count: u64) -> f64 {
    count as f64
}
