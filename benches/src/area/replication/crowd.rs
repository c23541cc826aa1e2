//! The parts of replication by themselves: collecting a tick's rows, writing each entity once, gathering for each client.
//!
//! *Responsible for*: walkers that move at each tick, clients whose receipts come three ticks later, times of the parts; beside
//! packing the same entities without memory, and copying as many bytes.
//! *Not responsible for*: who sees what (`interest`), the world and its worker (`meadow`).

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use lightmoon_contract::{NetId, Replicate as _, Tick};
use lightmoon_replica::{
    Baseline, BitWriter, ClientView, DeltaTable, EntityValues, Gather, Gathered, Gatherer, Holdings, Receipt,
    Schema, ViewWriter,
};

use super::Workload;
use super::walker::{FIELDS, Pose, Walk, quantise, scattered, side_for};

/// Ticks from a packet to its receipt: 150 ms at 20 Hz.
pub(crate) const WAY: usize = 3;

/// How packets are made.
pub(crate) const GATHER: Gather = Gather {
    rate_hz: 20,
    waited_ms: None,
    budget_bytes: 1_100,
    first: Some(0),
    only_first: false,
    refresh_ticks: 40,
    starve_ticks: 20,
};

/// What the parts of a tick cost, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) collect: f64,
    /// Writing each entity against the baseline that most want.
    pub(crate) encode: f64,
    pub(crate) gather: f64,
    /// Packing the same pairs from ready records.
    pub(crate) packed: f64,
    /// Copying as many bytes.
    pub(crate) copied: f64,
}

/// Entities, and clients that each see some.
pub(crate) struct Crowd {
    walkers: Vec<(Pose, Walk)>,
    side: f32,
    schema: Schema,
    rows: Vec<u32>,
    before: Vec<u32>,
    table: DeltaTable,
    clients: Vec<Holdings>,
    seen: Vec<Vec<u32>>,
    receipts: VecDeque<Receipt>,
    gatherer: Gatherer,
    buffer: Vec<u8>,
    records: Vec<u32>,
    packed: Vec<u8>,
    bytes: Vec<u8>,
    tick: Tick,
    /// The first of the clients, to see that what is measured is right.
    witness: ClientView,
    pub(crate) sent_bytes: u64,
    pub(crate) gathered: Gathered,
}

/// An entity in an Enter.
pub(crate) struct Row<'a>(pub(crate) &'a [u32]);

impl EntityValues for Row<'_> {
    fn row(&self) -> &[u32] {
        self.0
    }

    fn sticky(&self, _: u8) -> &[u8] {
        &[]
    }
}

impl Crowd {
    pub(crate) fn new(workload: Workload) -> Self {
        let schema = Schema::new(&[Pose::SPEC]).expect("a pose is small");
        let side = side_for(workload.entities, workload.visible);
        let mut random = fastrand::Rng::with_seed(3);
        let seen = (0..workload.clients).map(|_| {
            let all = 0..u32::try_from(workload.entities).expect("few");
            let mut seen = random.choose_multiple(all, workload.visible);
            seen.sort_unstable();
            seen
        });
        let seen: Vec<Vec<u32>> = seen.collect();
        let mut witness = ClientView::new(schema.clone());
        witness.attach(1);
        let mut crowd = Self {
            walkers: scattered(workload.entities, side),
            side,
            table: DeltaTable::new(schema.clone()),
            clients: seen.iter().map(|_| Holdings::new(Tick(1))).collect(),
            schema,
            seen,
            rows: Vec::new(),
            before: Vec::new(),
            receipts: VecDeque::new(),
            gatherer: Gatherer::default(),
            buffer: Vec::new(),
            records: Vec::new(),
            packed: Vec::new(),
            bytes: vec![0; 1 << 21],
            tick: Tick(0),
            witness,
            sent_bytes: 0,
            gathered: Gathered::default(),
        };
        crowd.enter();
        // Until receipts come back, and until everybody was in the packets that they tell of.
        (0..12).for_each(|_| {
            crowd.tick();
        });
        crowd
    }

    /// Everybody sees what it sees from now on.
    fn enter(&mut self) {
        self.walk();
        self.table.collect(self.tick, &self.rows, std::iter::repeat_n(1, self.walkers.len()));
        let mut view = ViewWriter::new(self.tick, 0, Vec::new());
        view.layout(&self.schema);
        view.fields(&self.schema);
        for (nth, (client, seen)) in self.clients.iter_mut().zip(&self.seen).enumerate() {
            for slot in seen {
                let index = client.enter(*slot, self.tick).expect("nothing left yet");
                if nth == 0 {
                    let row = Row(&self.rows[*slot as usize * FIELDS..][..FIELDS]);
                    assert!(view.enter(&self.schema, index, NetId(u64::from(*slot) + 1), 1, &row));
                }
                client.entered(index, 0);
            }
        }
        self.witness.apply_view(1, &view.finish()).expect("we wrote it");
    }

    fn walk(&mut self) {
        self.tick = self.tick.next();
        std::mem::swap(&mut self.rows, &mut self.before);
        self.rows.clear();
        for (pose, walk) in &mut self.walkers {
            walk.step(pose, self.side);
            quantise(pose, &mut self.rows);
        }
    }

    /// One tick; the parts of it that count.
    pub(crate) fn tick(&mut self) -> Parts {
        self.walk();
        if self.receipts.len() >= WAY {
            let receipt = self.receipts.pop_front().expect("it has some");
            self.clients.iter_mut().for_each(|client| client.receive(&receipt, 1));
        }
        let began = Instant::now();
        self.table.collect(self.tick, &self.rows, std::iter::repeat_n(1, self.walkers.len()));
        let collected = Instant::now();
        // The first two receipts tell of one packet, and of a second one.
        let common = if self.tick.0 > 2 + WAY as u64 { Baseline { age: 3, gap: 1 } } else { Baseline::WHOLE };
        let slot = self.table.baseline(common);
        for row in 0..self.walkers.len() {
            black_box(self.table.bits(row, slot));
        }
        let encoded = Instant::now();
        self.gather();
        let gathered = Instant::now();
        let packed = self.pack_only();
        let copying = Instant::now();
        let sent = usize::try_from(self.sent_bytes).unwrap_or(0).min(self.bytes.len() / 2);
        let (from, to) = self.bytes.split_at_mut(1 << 20);
        to[..sent].copy_from_slice(black_box(&from[..sent]));
        black_box(&to);
        let nanos = |from: Instant, to: Instant| to.duration_since(from).as_secs_f64() * 1e9;
        Parts {
            collect: nanos(began, collected),
            encode: nanos(collected, encoded),
            gather: nanos(encoded, gathered),
            packed,
            copied: nanos(copying, Instant::now()),
        }
    }

    fn gather(&mut self) {
        let (schema, table) = (&self.schema, &mut self.table);
        self.sent_bytes = 0;
        self.gathered = Gathered::default();
        for (nth, client) in self.clients.iter_mut().enumerate() {
            let buffer = std::mem::take(&mut self.buffer);
            let (packet, gathered) =
                client.gather(schema, table, &GATHER, |_| 256, &mut self.gatherer, buffer);
            self.sent_bytes += packet.len() as u64;
            self.gathered.records += gathered.records;
            self.gathered.whole += gathered.whole;
            self.gathered.deferred += gathered.deferred;
            if nth == 0 {
                self.witness.apply_delta(1, &packet).expect("we wrote it");
            }
            self.buffer = black_box(packet);
        }
        self.receipts.extend(self.witness.receipt());
    }

    /// The floor: each entity's difference to the last tick packed once, then appended for each client; 24 bits of a pair.
    fn pack_only(&mut self) -> f64 {
        let began = Instant::now();
        self.records.clear();
        for (now, before) in self.rows.chunks_exact(FIELDS).zip(self.before.chunks_exact(FIELDS)) {
            let [x, y] = [0, 1].map(|at| now[at].wrapping_sub(before[at]) & 0x7F);
            self.records.push(1 | (x << 1) | (y << 8) | (now[2] << 15));
        }
        for seen in &self.seen {
            let mut onto = std::mem::take(&mut self.packed);
            onto.clear();
            let mut bits = BitWriter::onto(onto);
            for slot in seen {
                bits.put(self.records[*slot as usize], 24);
            }
            self.packed = black_box(bits.into_bytes());
        }
        began.elapsed().as_secs_f64() * 1e9
    }
}
