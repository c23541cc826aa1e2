//! What a packet costs who reads it: many clients in one program, whose views no cache holds, beside one that is always in it.
//!
//! *Responsible for*: views of walkers that all move, packets for each, times of applying them. *Not responsible for*: how packets
//! come to be (`crowd`).

use std::collections::VecDeque;
use std::time::Instant;

use lightmoon_contract::{NetId, Replicate as _, Tick};
use lightmoon_replica::{ClientView, DeltaTable, Gatherer, Holdings, Receipt, Schema, ViewWriter};

use super::crowd::{GATHER, Row, WAY};
use super::walker::{FIELDS, Pose, Walk, quantise, scattered, side_for};

/// Clients that each see some of the walkers.
pub(crate) struct Readers {
    walkers: Vec<(Pose, Walk)>,
    side: f32,
    schema: Schema,
    table: DeltaTable,
    clients: Vec<(Holdings, ClientView)>,
    receipts: VecDeque<Vec<Receipt>>,
    gatherer: Gatherer,
    packets: Vec<Vec<u8>>,
    tick: Tick,
}

impl Readers {
    /// `clients` that see `visible` each.
    pub(crate) fn new(clients: usize, visible: usize) -> Self {
        let schema = Schema::new(&[Pose::SPEC]).expect("a pose is small");
        let entities = visible * 4;
        let side = side_for(entities, visible);
        let client = || {
            let mut view = ClientView::new(schema.clone());
            view.attach(1);
            (Holdings::new(Tick(1)), view)
        };
        let mut readers = Self {
            walkers: scattered(entities, side),
            side,
            table: DeltaTable::new(schema.clone()),
            clients: std::iter::repeat_with(client).take(clients).collect(),
            schema,
            receipts: VecDeque::new(),
            gatherer: Gatherer::default(),
            packets: vec![Vec::new(); clients],
            tick: Tick(0),
        };
        readers.enter(visible);
        // Until receipts come back, and all the history that is kept was written.
        (0..80).for_each(|_| {
            readers.tick();
        });
        readers
    }

    fn enter(&mut self, visible: usize) {
        let rows = self.walk();
        let mut random = fastrand::Rng::with_seed(3);
        for (held, view) in &mut self.clients {
            let mut payload = ViewWriter::new(self.tick, 0, Vec::new());
            payload.layout(&self.schema);
            payload.fields(&self.schema);
            let all = 0..u32::try_from(self.walkers.len()).expect("few");
            for slot in random.choose_multiple(all, visible) {
                let index = held.enter(slot, self.tick).expect("nothing left yet");
                let row = Row(&rows[slot as usize * FIELDS..][..FIELDS]);
                assert!(payload.enter(&self.schema, index, NetId(u64::from(slot) + 1), 1, &row));
                held.entered(index, 0);
            }
            view.apply_view(1, &payload.finish()).expect("we wrote it");
        }
    }

    /// Everybody goes on. Gives their rows.
    fn walk(&mut self) -> Vec<u32> {
        self.tick = self.tick.next();
        let mut rows = Vec::new();
        for (pose, walk) in &mut self.walkers {
            walk.step(pose, self.side);
            quantise(pose, &mut rows);
        }
        self.table.collect(self.tick, &rows, std::iter::repeat_n(1, self.walkers.len()));
        rows
    }

    /// One tick. Nanoseconds that applying all packets took, and their records.
    pub(crate) fn tick(&mut self) -> (f64, u32) {
        self.walk();
        if self.receipts.len() >= WAY {
            let receipts = self.receipts.pop_front().expect("it has some");
            for ((held, _), receipt) in self.clients.iter_mut().zip(&receipts) {
                held.receive(receipt, 1);
            }
        }
        let mut records = 0;
        for ((held, _), packet) in self.clients.iter_mut().zip(&mut self.packets) {
            let (bytes, gathered) = held.gather(
                &self.schema,
                &mut self.table,
                &GATHER,
                |_| 256,
                &mut self.gatherer,
                std::mem::take(packet),
            );
            records += gathered.records;
            *packet = bytes;
        }
        let began = Instant::now();
        let mut applied = 0;
        for ((_, view), packet) in self.clients.iter_mut().zip(&self.packets) {
            let header = view.apply_delta(1, packet).expect("we wrote it").expect("it is the newest");
            applied += u32::from(header.applied);
        }
        let took = began.elapsed().as_secs_f64() * 1e9;
        assert_eq!(applied, records, "all is news to who sees it");
        let receipts = self.clients.iter().map(|(_, view)| view.receipt().expect("it has its layout"));
        self.receipts.push_back(receipts.collect());
        (took, records)
    }
}
