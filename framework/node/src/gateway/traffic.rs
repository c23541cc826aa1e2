//! What leaves on which lane.
//!
//! *Responsible for*: counting it, over all links, also those that are over. *Not responsible for*: the order in which it leaves
//! (`wire`).

use lightmoon_contract::{Lane, Priority, Reliability};
use lightmoon_wire::{Counters, ServerLink, Transmit};

use crate::report::LaneReport;

/// The lanes that have streams.
const RELIABILITIES: [Reliability; 2] = [Reliability::ReliableUnordered, Reliability::ReliableOrdered];
/// How many they are.
const LANES: usize = Priority::ALL.len() * RELIABILITIES.len();

/// What left so far.
#[derive(Debug)]
pub(super) struct Traffic {
    lanes: [LaneReport; LANES],
    /// What links counted that are over.
    over: Counters,
}

impl Default for Traffic {
    fn default() -> Self {
        let lane = |at: usize| {
            Lane::new(Priority::ALL[at / RELIABILITIES.len()], RELIABILITIES[at % RELIABILITIES.len()])
        };
        let report = |at| LaneReport { lane: lane(at), writes: 0, sent_bytes: 0, waiting_bytes: 0 };
        Self { lanes: std::array::from_fn(report), over: Counters::default() }
    }
}

impl Traffic {
    /// Something leaves.
    pub(super) fn leaves(&mut self, transmit: &Transmit) {
        let (Transmit::Stream { lane, bytes } | Transmit::Solo { lane, bytes }) = transmit else { return };
        if let Some(report) = report_of(&mut self.lanes, *lane) {
            report.writes += 1;
            report.sent_bytes += u64::try_from(bytes.len()).unwrap_or(0);
        }
    }

    /// A link is over.
    pub(super) fn ends(&mut self, link: &ServerLink) {
        self.over += *link.counters();
    }

    /// What all links counted.
    pub(super) fn counters<'a>(&self, open: impl Iterator<Item = &'a ServerLink>) -> Counters {
        open.fold(self.over, |mut sum, link| {
            sum += *link.counters();
            sum
        })
    }

    /// Each lane, with what waits in it now.
    pub(super) fn lanes<'a>(&self, open: impl Iterator<Item = &'a ServerLink>) -> Vec<LaneReport> {
        let mut lanes = self.lanes;
        for (lane, waiting_bytes) in open.flat_map(ServerLink::waiting_bytes) {
            if let Some(report) = report_of(&mut lanes, lane) {
                report.waiting_bytes += waiting_bytes;
            }
        }
        lanes.to_vec()
    }
}

fn report_of(lanes: &mut [LaneReport; LANES], lane: Lane) -> Option<&mut LaneReport> {
    let within = RELIABILITIES.iter().position(|reliability| *reliability == lane.reliability)?;
    lanes.get_mut(lane.priority as usize * RELIABILITIES.len() + within)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn every_lane_with_a_stream_is_counted_under_its_name() {
        let mut traffic = Traffic::default();
        for priority in Priority::ALL {
            for (reliability, size) in [(RELIABILITIES[0], 3), (RELIABILITIES[1], 5)] {
                let lane = Lane::new(priority, reliability);
                let bytes = Bytes::from(vec![0; size]);
                traffic.leaves(&Transmit::Stream { lane, bytes: bytes.clone() });
                traffic.leaves(&Transmit::Solo { lane, bytes });
            }
        }
        traffic.leaves(&Transmit::Datagram(Bytes::new()));
        let lanes = traffic.lanes(std::iter::empty());
        assert_eq!(lanes.len(), 8);
        for report in lanes {
            let size = if report.lane.reliability == RELIABILITIES[0] { 3 } else { 5 };
            assert_eq!((report.writes, report.sent_bytes), (2, 2 * size), "{}", report.lane);
        }
    }
}
