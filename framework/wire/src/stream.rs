//! Incoming streams: bytes cut anyhow become frames again.
//!
//! *Responsible for*: the lane byte, length prefixes, limits before anything is kept, one stream per lane, streams of one frame.
//! *Not responsible for*: what frames mean (`server`, `client`).
//!
//! Invariants:
//! - I1: how a stream's bytes are cut changes nothing about the frames that come out.
//! - I2: a stream keeps at most one unfinished frame, and no more of it than arrived.
//! - I3: a length over the limit ends the link before a byte of that frame is kept.

use std::collections::BTreeMap;

use lightmoon_contract::{Lane, Reliability};

use crate::close::Violation;
use crate::frame::{self, Frame, Sender};
use crate::limits;

/// The transport's id of an incoming stream: any number that is never used twice on one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamKey(pub u64);

/// In the lane byte of a stream that holds one frame.
pub(crate) const SOLO_BIT: u8 = 0x80;

/// One incoming stream.
#[derive(Debug, Default)]
pub(crate) struct IncomingStream {
    lane: Option<Lane>,
    is_solo: bool,
    /// The start of a frame whose end has not arrived.
    unfinished: Vec<u8>,
}

impl IncomingStream {
    /// The lane, once its byte arrived.
    pub(crate) const fn lane(&self) -> Option<Lane> {
        self.lane
    }

    /// Whether it holds one frame and ends. What follows that frame is read as another stream, so that nothing has to be remembered.
    pub(crate) const fn is_solo(&self) -> bool {
        self.is_solo
    }

    /// Takes the lane byte off the front of `bytes` if it is still to come.
    fn preface(&mut self, bytes: &mut &[u8]) -> Result<(), Violation> {
        if self.lane.is_some() {
            return Ok(());
        }
        let Some((number, rest)) = bytes.split_first() else { return Ok(()) };
        *bytes = rest;
        self.is_solo = number & SOLO_BIT != 0;
        let fits = |lane: &Lane| {
            lane.reliability == Reliability::ReliableUnordered
                || !self.is_solo && lane.reliability.is_reliable()
        };
        let lane = Lane::from_number(number & !SOLO_BIT).filter(fits);
        self.lane = Some(lane.ok_or_else(|| {
            Violation::protocol(format!("stream begins with {number:#04x}, no reliable lane"))
        })?);
        Ok(())
    }

    /// The next frame of what is kept and of `bytes`, which it shortens by what it took; `None`: more must arrive.
    pub(crate) fn next(&mut self, from: Sender, bytes: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        if self.unfinished.is_empty() {
            // The common case: nothing is kept and whole frames are read where they lie.
            return match self.measure(from, bytes)? {
                Some(Extent { header, total }) if total <= bytes.len() => {
                    let (whole, rest) = bytes.split_at(total);
                    *bytes = rest;
                    frame::read_stream(from, &whole[header..]).map(Some)
                }
                Some(_) | None => {
                    self.unfinished.extend_from_slice(bytes);
                    *bytes = &[];
                    Ok(None)
                }
            };
        }
        while !bytes.is_empty() {
            // While the header is unfinished it is taken byte by byte: it is at most five bytes and a kind.
            let extent = self.measure(from, &self.unfinished)?;
            let missing = extent.map_or(1, |extent| extent.total - self.unfinished.len());
            let (taken, rest) = bytes.split_at(missing.min(bytes.len()));
            self.unfinished.extend_from_slice(taken);
            *bytes = rest;
            if let Some(Extent { header, total }) = self.measure(from, &self.unfinished)?
                && total == self.unfinished.len()
            {
                let whole = std::mem::take(&mut self.unfinished);
                return frame::read_stream(from, &whole[header..]).map(Some);
            }
        }
        Ok(None)
    }

    fn measure(&self, from: Sender, bytes: &[u8]) -> Result<Option<Extent>, Violation> {
        let extent = measure(from, bytes)?;
        if self.is_solo
            && let Some(Extent { header, total }) = extent
            && total - header > limits::SOLO_FRAME_BYTES_MAX
        {
            return Err(Violation::too_large(format!("{} bytes on a stream of their own", total - header)));
        }
        Ok(extent)
    }

    fn kept_bytes(&self) -> usize {
        self.unfinished.len()
    }
}

/// Where a frame lies.
#[derive(Clone, Copy)]
struct Extent {
    /// Bytes of the length in front.
    header: usize,
    /// Bytes of all, with the header.
    total: usize,
}

/// The extent of the frame that begins `bytes`, once its length and kind are there and allowed.
fn measure(from: Sender, bytes: &[u8]) -> Result<Option<Extent>, Violation> {
    let Some((length, header)) = frame::read_length(bytes)? else { return Ok(None) };
    if length == 0 {
        return Err(Violation::protocol("frame without a kind"));
    }
    let Some(kind) = bytes.get(header) else { return Ok(None) };
    frame::check_length(from, *kind, length)?;
    Ok(Some(Extent { header, total: header + length }))
}

/// All incoming streams of one link.
#[derive(Debug, Default)]
pub(crate) struct IncomingStreams {
    streams: BTreeMap<StreamKey, IncomingStream>,
}

impl IncomingStreams {
    /// Takes the stream `key` out to read from it; puts it back with [`Self::put`]. Its lane is known afterwards if
    /// there was a byte.
    pub(crate) fn take(&mut self, key: StreamKey, bytes: &mut &[u8]) -> Result<IncomingStream, Violation> {
        let known = self.streams.remove(&key);
        let is_known = known.is_some();
        let mut stream = known.unwrap_or_default();
        let fresh = stream.lane.is_none();
        stream.preface(bytes)?;
        if is_known && !fresh {
            return Ok(stream);
        }
        let max = if stream.is_solo { limits::SOLO_STREAMS_MAX } else { limits::STREAMS_MAX };
        if self.streams.values().filter(|other| other.is_solo == stream.is_solo).count() == max {
            let what = if stream.is_solo { "streams of one frame" } else { "streams" };
            return Err(Violation::protocol(format!("more than {max} {what}")));
        }
        if let Some(lane) = stream.lane
            && !stream.is_solo
            && self.streams.values().any(|other| !other.is_solo && other.lane == Some(lane))
        {
            return Err(Violation::protocol(format!("second stream for lane {lane}")));
        }
        Ok(stream)
    }

    /// Puts a stream back.
    pub(crate) fn put(&mut self, key: StreamKey, stream: IncomingStream) {
        self.streams.insert(key, stream);
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.streams.clear();
    }

    /// Bytes kept of unfinished frames.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.streams.values().map(IncomingStream::kept_bytes).sum()
    }
}
