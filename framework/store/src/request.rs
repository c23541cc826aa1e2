//! What a store can be asked.
//!
//! *Responsible for*: the requests and their limits. *Not responsible for*: answering them.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Why, limits};

/// A set of partitions of one use: actors, leases, timers. Numbers are given by who uses the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Space(pub u16);

/// What is changed together, and listed in one go.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Partition {
    /// The use.
    pub space: Space,
    /// Which one of it.
    pub key: Bytes,
}

/// How rows may be written. The same partition and key in two areas are two rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Area {
    /// By [`Request::Commit`] only.
    Commits,
    /// By [`Request::PutChunk`]; never changed.
    Chunks,
    /// By [`Request::Append`].
    Log,
}

/// A value under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The key within the partition.
    pub key: Bytes,
    /// The value.
    pub value: Bytes,
}

/// A number in the head of a partition. Which number means what is up to who uses the space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Field(pub u8);

/// The numbers that stand above the rows of a partition and decide its commits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    fields: BTreeMap<Field, u64>,
}

impl Head {
    /// A head of these fields.
    #[must_use]
    pub fn of(fields: impl IntoIterator<Item = (Field, u64)>) -> Self {
        Self { fields: fields.into_iter().collect() }
    }

    /// The number in `field`.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<u64> {
        self.fields.get(&field).copied()
    }

    /// Sets all fields of `other`; the rest stays as it is.
    pub fn set_all(&mut self, other: &Self) {
        self.fields.extend(&other.fields);
    }

    /// The fields, ascending.
    pub fn fields(&self) -> impl Iterator<Item = (Field, u64)> {
        self.fields.iter().map(|(field, value)| (*field, *value))
    }
}

/// How a field is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Is {
    /// The field is the value.
    Equal,
    /// The field is the value or less.
    AtMost,
}

/// A test of one field. A field that is not there passes none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Test {
    /// Which field.
    pub field: Field,
    /// How it is compared.
    pub is: Is,
    /// With what.
    pub value: u64,
}

/// When a commit happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// The partition was never committed to.
    Absent,
    /// It was, and all tests pass.
    Holds(Vec<Test>),
}

impl Condition {
    /// Whether it holds for the head of a partition; `None`: there is no such partition.
    #[must_use]
    pub fn holds(&self, head: Option<&Head>) -> bool {
        match (self, head) {
            (Self::Absent, head) => head.is_none(),
            (Self::Holds(_), None) => false,
            (Self::Holds(tests), Some(head)) => tests.iter().all(|test| {
                head.get(test.field).is_some_and(|value| match test.is {
                    Is::Equal => value == test.value,
                    Is::AtMost => value <= test.value,
                })
            }),
        }
    }
}

/// One change of a commit. Changes apply in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Sets a row.
    Put(Row),
    /// Deletes a row; one that is not there does no harm.
    Delete(Bytes),
    /// Deletes all rows of a range.
    DeleteRange(KeyRange),
}

/// Keys from one to another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyRange {
    /// The first key in it.
    pub from: Bytes,
    /// The first key behind it; `None`: to the end.
    pub to: Option<Bytes>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// What is left of this range behind `key`: for the next page.
    #[must_use]
    pub fn after(&self, key: &Bytes) -> Self {
        Self { from: successor(key), to: self.to.clone() }
    }

    /// Whether `key` is in it.
    #[must_use]
    pub fn contains(&self, key: &Bytes) -> bool {
        *key >= self.from && self.to.as_ref().is_none_or(|to| key < to)
    }
}

/// The key right behind `key`.
fn successor(key: &Bytes) -> Bytes {
    let mut next = key.to_vec();
    next.push(0);
    next.into()
}

/// Maintenance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scan {
    /// Lists partitions of a space in an area, those behind `after`, at most `limit`.
    Partitions {
        /// In which area.
        area: Area,
        /// Of which space.
        space: Space,
        /// Behind this key; `None`: from the first on.
        after: Option<Bytes>,
        /// 1 to [`limits::PAGE_ROWS_MAX`].
        limit: usize,
    },
    /// Removes chunks that nothing refers to any more.
    RemoveChunks {
        /// Of which partition.
        partition: Partition,
        /// Which; those that are not there do no harm.
        keys: Vec<Bytes>,
    },
    /// Removes rows of a log that are done with.
    RemoveFromLog {
        /// Of which partition.
        partition: Partition,
        /// Which; those that are not there do no harm.
        keys: Vec<Bytes>,
    },
}

/// What a store can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Changes one partition, all or nothing, if the condition on its head holds.
    Commit {
        /// Which one.
        partition: Partition,
        /// When.
        condition: Condition,
        /// Fields of the head that are set; the others stay.
        head: Head,
        /// What happens to its rows, in this order.
        changes: Vec<Change>,
    },
    /// Reads rows in the order of their keys, and the head.
    Read {
        /// In which area.
        area: Area,
        /// Of which partition.
        partition: Partition,
        /// Which rows.
        keys: KeyRange,
        /// Rows of one page, 1 to [`limits::PAGE_ROWS_MAX`].
        limit: usize,
        /// Whether it has to see the outcome of every commit before it. Costs more in a cluster.
        serial: bool,
    },
    /// Keeps an immutable value. A key is given one value ever; the same once more does no harm.
    PutChunk {
        /// Of which partition.
        partition: Partition,
        /// The chunk.
        chunk: Row,
    },
    /// Adds rows to a log. A row that is there already does no harm.
    Append {
        /// Which partition.
        log: Partition,
        /// What.
        rows: Vec<Row>,
    },
    /// Maintenance.
    Scan(Scan),
}

impl Request {
    /// Whether the request is within the [`limits`]. Every store calls it first.
    ///
    /// # Errors
    /// [`Why::OverLimit`]: which limit it breaks.
    pub fn check(&self) -> Result<(), Why> {
        match self {
            Self::Commit { partition, condition, head, changes } => {
                check_key(&partition.key)?;
                within(head.fields.len(), limits::HEAD_FIELDS_MAX, "HEAD_FIELDS_MAX")?;
                match condition {
                    Condition::Absent if head.fields.is_empty() => return Err(Why::Headless),
                    Condition::Holds(tests) if tests.is_empty() => return Err(Why::Unconditional),
                    Condition::Holds(tests) => {
                        within(tests.len(), limits::HEAD_FIELDS_MAX, "HEAD_FIELDS_MAX")?
                    }
                    Condition::Absent => {}
                }
                within(changes.len(), limits::CHANGES_PER_COMMIT_MAX, "CHANGES_PER_COMMIT_MAX")?;
                let bytes = changes.iter().map(check_change).sum::<Result<usize, Why>>()?;
                within(bytes, limits::COMMIT_BYTES_MAX, "COMMIT_BYTES_MAX")
            }
            Self::Read { partition, keys, limit, .. } => {
                check_key(&partition.key)?;
                check_range(keys)?;
                check_page(*limit)
            }
            Self::PutChunk { partition, chunk } => {
                check_key(&partition.key)?;
                check_row(chunk).map(drop)
            }
            Self::Append { log, rows } => {
                check_key(&log.key)?;
                within(rows.len(), limits::APPEND_ROWS_MAX, "APPEND_ROWS_MAX")?;
                let bytes = rows.iter().map(check_row).sum::<Result<usize, Why>>()?;
                within(bytes, limits::APPEND_BYTES_MAX, "APPEND_BYTES_MAX")
            }
            Self::Scan(Scan::Partitions { after, limit, .. }) => {
                after.as_ref().map_or(Ok(()), |after| check_key(after))?;
                check_page(*limit)
            }
            Self::Scan(Scan::RemoveChunks { partition, keys } | Scan::RemoveFromLog { partition, keys }) => {
                check_key(&partition.key)?;
                within(keys.len(), limits::PAGE_ROWS_MAX, "PAGE_ROWS_MAX")?;
                keys.iter().try_for_each(|key| check_key(key))
            }
        }
    }
}

const fn within(value: usize, max: usize, name: &'static str) -> Result<(), Why> {
    if value <= max { Ok(()) } else { Err(Why::OverLimit { name, value, max }) }
}

const fn check_key(key: &[u8]) -> Result<(), Why> {
    within(key.len(), limits::KEY_BYTES_MAX, "KEY_BYTES_MAX")
}

/// A bound of a range may be one byte longer than a key: [`KeyRange::after`] makes such.
fn check_range(range: &KeyRange) -> Result<(), Why> {
    within(range.from.len(), limits::KEY_BYTES_MAX + 1, "KEY_BYTES_MAX")?;
    range.to.as_ref().map_or(Ok(()), |to| within(to.len(), limits::KEY_BYTES_MAX + 1, "KEY_BYTES_MAX"))
}

fn check_row(row: &Row) -> Result<usize, Why> {
    check_key(&row.key)?;
    within(row.value.len(), limits::VALUE_BYTES_MAX, "VALUE_BYTES_MAX")?;
    Ok(row.key.len() + row.value.len())
}

fn check_change(change: &Change) -> Result<usize, Why> {
    match change {
        Change::Put(row) => check_row(row),
        Change::Delete(key) => check_key(key).map(|()| key.len()),
        Change::DeleteRange(range) => {
            check_range(range).map(|()| range.from.len() + range.to.as_ref().map_or(0, Bytes::len))
        }
    }
}

const fn check_page(limit: usize) -> Result<(), Why> {
    if limit == 0 {
        return Err(Why::EmptyPage);
    }
    within(limit, limits::PAGE_ROWS_MAX, "PAGE_ROWS_MAX")
}
