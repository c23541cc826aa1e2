//! A disk out of a record: what lasts, and what a cut of power may take.
//!
//! *Responsible for*: playing the record of `shim.c`, building a folder as a cut of power may leave it. *Not responsible
//! for*: what the store makes of it.
//!
//! Certain is what was synced: bytes of a file by a sync of that file, names by a sync of their folder. A new file's name
//! lasts with its first sync, as on ext4, XFS and btrfs (the engine counts on it for files of large values). Of the rest
//! each write is kept, dropped or torn into sectors, and each name is the old or the new one, by chance.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use fastrand::Rng;

const BLOCK: u64 = 4096;
/// What a disk writes whole.
const SECTOR: usize = 512;

/// One entry of the record.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    kind: u8,
    id: u64,
    offset: u64,
    payload: &'a [u8],
}

/// All entries of a record; the last may be cut short.
pub(crate) fn entries(record: &[u8]) -> Vec<Entry<'_>> {
    let (mut entries, mut at) = (Vec::new(), 0);
    let word = |at: usize| Some(u64::from_le_bytes(record.get(at..at + 8)?.try_into().ok()?));
    while let (Some(kind), Some(id), Some(offset), Some(length)) =
        (record.get(at), word(at + 1), word(at + 9), record.get(at + 17..at + 21))
    {
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let Some(payload) = record.get(at + 21..at + 21 + length) else { break };
        entries.push(Entry { kind: *kind, id, offset, payload });
        at += 21 + length;
    }
    entries
}

/// Bytes of a file, with holes.
#[derive(Clone, Default)]
struct Sparse {
    length: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Sparse {
    fn write(&mut self, mut offset: u64, mut bytes: &[u8]) {
        self.length = self.length.max(offset + bytes.len() as u64);
        while !bytes.is_empty() {
            let within = (offset % BLOCK) as usize;
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK as usize - within));
            let block = self.blocks.entry(offset / BLOCK).or_insert_with(|| vec![0; BLOCK as usize]);
            block[within..within + now.len()].copy_from_slice(now);
            offset += now.len() as u64;
            bytes = rest;
        }
    }

    fn truncate(&mut self, length: u64) {
        self.length = length;
        self.blocks.retain(|block, _| block * BLOCK < length);
        if let Some(block) = self.blocks.get_mut(&(length / BLOCK)) {
            block[(length % BLOCK) as usize..].fill(0);
        }
    }

    fn apply(&mut self, change: &Change<'_>) {
        match change {
            Change::Write(offset, bytes) => self.write(*offset, bytes),
            Change::Truncate(length) => self.truncate(*length),
        }
    }

    fn save(&self, path: &Path) {
        let file = std::fs::File::create(path).unwrap();
        file.set_len(self.length).unwrap();
        for (block, bytes) in &self.blocks {
            let length = (self.length - block * BLOCK).min(BLOCK) as usize;
            file.write_all_at(&bytes[..length], block * BLOCK).unwrap();
        }
    }
}

enum Change<'a> {
    Write(u64, &'a [u8]),
    Truncate(u64),
}

#[derive(Default)]
struct File<'a> {
    lasting: Sparse,
    pending: Vec<Change<'a>>,
}

/// A name's file or folder.
type Named = (u64, bool);

#[derive(Default)]
struct Folder {
    lasting: BTreeMap<String, Named>,
    current: BTreeMap<String, Named>,
}

/// What a cut of power leaves of what was not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leaves {
    /// Everything: the machine went on.
    All,
    /// What chance leaves.
    Some,
}

/// The disk as the record has it so far.
#[derive(Default)]
pub(crate) struct Disk<'a> {
    files: BTreeMap<u64, File<'a>>,
    folders: BTreeMap<String, Folder>,
    /// What the process told the world outside.
    pub(crate) notes: Vec<u8>,
}

impl<'a> Disk<'a> {
    /// Plays one entry.
    pub(crate) fn play(&mut self, entry: &Entry<'a>) {
        let text = || std::str::from_utf8(entry.payload).unwrap();
        match entry.kind {
            b'A' => self.notes.extend_from_slice(entry.payload),
            b'W' => self.change(entry.id, Change::Write(entry.offset, entry.payload)),
            b'T' => self.change(entry.id, Change::Truncate(entry.offset)),
            b'S' => {
                let file = self.files.entry(entry.id).or_default();
                file.pending.drain(..).for_each(|change| file.lasting.apply(&change));
                self.name_lasts(entry.id);
            }
            b'O' => self.name(text(), Some((entry.id, false))),
            b'M' => self.name(text(), Some((entry.id, true))),
            b'U' => self.name(text(), None),
            b'R' | b'L' => {
                let (from, to) = text().split_once('\0').unwrap();
                let named = self.current(from);
                self.name(to, named);
                if entry.kind == b'R' {
                    self.name(from, None);
                }
            }
            b'D' => {
                let (path, mut rest) = split_name(entry.payload);
                let mut names = BTreeMap::new();
                while !rest.is_empty() {
                    let (name, after) = split_name(rest);
                    let id = u64::from_le_bytes(after[..8].try_into().unwrap());
                    names.insert(name.to_owned(), (id, after[8] == 1));
                    rest = &after[9..];
                }
                self.folders.insert(path.to_owned(), Folder { lasting: names.clone(), current: names });
            }
            other => panic!("an entry of kind {other}"),
        }
    }

    fn change(&mut self, id: u64, change: Change<'a>) {
        self.files.entry(id).or_default().pending.push(change);
    }

    /// A sync of a file keeps the name that it has.
    fn name_lasts(&mut self, id: u64) {
        for folder in self.folders.values_mut() {
            let name = folder.current.iter().find(|(_, named)| **named == (id, false));
            if let Some((name, named)) = name {
                folder.lasting.entry(name.clone()).or_insert(*named);
            }
        }
    }

    fn current(&self, path: &str) -> Option<Named> {
        let (folder, name) = path.rsplit_once('/')?;
        self.folders.get(folder)?.current.get(name).copied()
    }

    fn name(&mut self, path: &str, named: Option<Named>) {
        let (folder, name) = path.rsplit_once('/').unwrap();
        let names = &mut self.folders.entry(folder.to_owned()).or_default().current;
        match named {
            Some(named) => drop(names.insert(name.to_owned(), named)),
            None => drop(names.remove(name)),
        }
    }

    /// Builds the folder that was recorded at `from`, as a cut of power may leave it, at `to`.
    pub(crate) fn build(&self, from: &str, to: &Path, leaves: Leaves, random: &mut Rng) {
        std::fs::create_dir_all(to).unwrap();
        let Some(folder) = self.folders.get(from) else { return };
        let names: std::collections::BTreeSet<&String> =
            folder.lasting.keys().chain(folder.current.keys()).collect();
        for name in names {
            let takes_new = leaves == Leaves::All || random.bool();
            let named = if takes_new { &folder.current } else { &folder.lasting }.get(name);
            match named {
                Some((_, true)) => self.build(&format!("{from}/{name}"), &to.join(name), leaves, random),
                Some((id, false)) => self.content(*id, leaves, random).save(&to.join(name)),
                None => {}
            }
        }
    }

    fn content(&self, id: u64, leaves: Leaves, random: &mut Rng) -> Sparse {
        let Some(file) = self.files.get(&id) else { return Sparse::default() };
        let mut content = file.lasting.clone();
        let kept_of_256 = [0, 64, 128, 192, 256][random.usize(..5)];
        for change in &file.pending {
            if leaves == Leaves::All || random.u32(..256) < kept_of_256 {
                content.apply(change);
            } else if let Change::Write(offset, bytes) = change
                && random.bool()
            {
                tear(&mut content, *offset, bytes, random);
            }
        }
        content
    }
}

/// Keeps some sectors of a write.
fn tear(content: &mut Sparse, offset: u64, bytes: &[u8], random: &mut Rng) {
    let mut at = 0;
    while at < bytes.len() {
        let within = (offset as usize + at) % SECTOR;
        let length = (SECTOR - within).min(bytes.len() - at);
        if random.bool() {
            content.write(offset + at as u64, &bytes[at..at + length]);
        }
        at += length;
    }
}

fn split_name(bytes: &[u8]) -> (&str, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap();
    (std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 1..])
}
