//! What a browser says before and beside a game: HTTP/3 and the request for a WebTransport session.
//!
//! *Responsible for*: settings, the request and its answer, telling the game's streams from HTTP's, headers of streams and datagrams, the
//! capsule that closes a session. *Not responsible for*: the bytes of the game's streams ([`super::inbox`], [`super::outbox`]), byte formats of HTTP/3
//! (`web_transport_proto`).
//!
//! The path and origin of a request are not looked at: a port serves one game, and who may play is decided by the token in the first frame.
//! Sources: RFC 9114 (HTTP/3), RFC 9220 (extended CONNECT), RFC 9297 (datagrams and capsules), draft-ietf-webtrans-http3.
//!
//! Invariants:
//! - I1: one session for each connection; a further request is not read.
//! - I2: no more than [`limits::REQUEST_BYTES_MAX`] of settings, of a request or of capsules is held, and no more than the header of any other
//!   stream; more ends the connection.

use crate::limits;
use bytes::{Buf as _, Bytes, BytesMut};
use quinn_proto::{Connection, Dir, ReadError, StreamId, VarInt};
use web_transport_proto as h3;

/// A stream of a type that we do not know (RFC 9114 §8.1).
const H3_STREAM_CREATION_ERROR: u32 = 0x103;

/// HTTP/3 of one connection.
#[derive(Debug, Default)]
pub(super) struct Browser {
    /// Unidirectional streams whose type is not known yet, with what came of their header.
    unknown: Vec<(StreamId, BytesMut)>,
    /// The client's control stream; what came of its settings.
    control: Option<(StreamId, BytesMut)>,
    has_settings: bool,
    /// The stream of the request, which carries capsules afterwards; what came of it and was not understood yet.
    request: Option<(StreamId, BytesMut)>,
    capsules: BytesMut,
    /// The session, once the request was granted.
    session: Option<Session>,
    /// Streams of the game's that were opened, for [`Browser::take_streams`].
    streams: Vec<StreamId>,
}

/// Headers of a session that was granted.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What each stream of ours begins with.
    pub(super) stream_header: Bytes,
    /// What each datagram begins with.
    pub(super) datagram_header: Bytes,
}

/// What the client did to its session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    Nothing,
    /// Our session is granted.
    Open,
    /// It closed the session, with code and reason if it gave them.
    Closed(Option<(u32, String)>),
}

/// What ended a connection that is no WebTransport.
type Fault = String;

impl Browser {
    /// Says what we can do. Once the handshake is done.
    pub(super) fn begin(&mut self, conn: &mut Connection) -> Result<(), Fault> {
        let mut settings = h3::Settings::default();
        settings.enable_webtransport(1);
        let mut bytes = Vec::new();
        settings.encode(&mut bytes);
        let stream = conn.streams().open(Dir::Uni).ok_or("the client allows no control stream")?;
        write(conn, stream, &bytes)
    }

    /// Takes new streams; what came of them comes with [`Self::on_readable`] as well.
    pub(super) fn on_opened(&mut self, conn: &mut Connection, dir: Dir) -> Result<Said, Fault> {
        match dir {
            Dir::Uni => {
                while let Some(stream) = conn.streams().accept(Dir::Uni) {
                    self.unknown.push((stream, BytesMut::new()));
                    self.read_type(conn, stream)?;
                }
            }
            // Further ones stay with quinn, whose limit of streams bounds them.
            Dir::Bi if self.request.is_none() => {
                self.request = conn.streams().accept(Dir::Bi).map(|stream| (stream, BytesMut::new()));
                return self.read_request(conn);
            }
            Dir::Bi => {}
        }
        self.answer(conn)
    }

    /// Reads what came on a stream of HTTP's; does nothing for one of the game's.
    pub(super) fn on_readable(&mut self, conn: &mut Connection, stream: StreamId) -> Result<Said, Fault> {
        if self.unknown.iter().any(|(unknown, _)| *unknown == stream) {
            self.read_type(conn, stream)?;
            return self.answer(conn);
        }
        if self.control.as_ref().is_some_and(|(control, _)| *control == stream) {
            self.read_settings(conn)?;
            return self.answer(conn);
        }
        if self.request.as_ref().is_some_and(|(request, _)| *request == stream) {
            return self.read_request(conn);
        }
        Ok(Said::Nothing)
    }

    /// The game's streams that were opened since it was asked the last time.
    pub(super) fn take_streams(&mut self) -> Vec<StreamId> {
        std::mem::take(&mut self.streams)
    }

    /// The session, if it was granted.
    pub(super) const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Closes the session with code and reason, which the client reads before the connection ends.
    pub(super) fn close(&self, conn: &mut Connection, code: u32, reason: &str) -> Result<(), Fault> {
        let (stream, _) = self.request.as_ref().ok_or("no session")?;
        let mut capsule = Vec::new();
        h3::Capsule::CloseWebTransportSession { code, reason: reason.to_owned() }.encode(&mut capsule);
        let mut bytes = Vec::new();
        h3::Frame::DATA.encode(&mut bytes);
        h3::VarInt::from_u32(u32::try_from(capsule.len()).unwrap_or(u32::MAX)).encode(&mut bytes);
        bytes.extend_from_slice(&capsule);
        write(conn, *stream, &bytes)?;
        conn.send_stream(*stream).finish().map_err(|error| error.to_string())
    }

    /// Reads the type of a stream, and the session that a stream of the game's names. Not a byte more: what follows is the game's.
    fn read_type(&mut self, conn: &mut Connection, stream: StreamId) -> Result<(), Fault> {
        let Some(index) = self.unknown.iter().position(|(unknown, _)| *unknown == stream) else {
            return Ok(());
        };
        let header = &mut self.unknown[index].1;
        loop {
            let missing = match missing(header) {
                0 => break,
                missing => missing,
            };
            match read(conn, stream, missing) {
                Piece::Bytes(bytes) => header.extend_from_slice(&bytes),
                Piece::Later => return Ok(()),
                Piece::End => {
                    self.unknown.swap_remove(index);
                    return Ok(());
                }
            }
        }
        let (_, header) = self.unknown.swap_remove(index);
        let mut header = &header[..];
        let kind = h3::StreamUni::decode(&mut header).map_err(|_| "a stream without a type")?;
        match kind {
            h3::StreamUni::WEBTRANSPORT => {
                let session = h3::VarInt::decode(&mut header).map_err(|_| "a stream without a session")?;
                // A request always comes on the first stream of its kind that a client opens for one; which that is we may hear later.
                if self.request.as_ref().is_some_and(|(request, _)| number(*request) != session.into_inner())
                {
                    return Err("a stream of a session that is not there".to_owned());
                }
                if self.streams.len() >= usize::try_from(limits::UNI_STREAMS_MAX).unwrap_or(usize::MAX) {
                    return Err("more streams than are allowed".to_owned());
                }
                self.streams.push(stream);
                Ok(())
            }
            h3::StreamUni::CONTROL if self.control.is_none() => {
                self.control = Some((stream, BytesMut::new()));
                self.read_settings(conn)
            }
            // Without a dynamic table nothing is said on them, but they must stay (RFC 9204 §4.2).
            h3::StreamUni::QPACK_ENCODER | h3::StreamUni::QPACK_DECODER => Ok(()),
            _ => {
                // Fails for a stream that has ended.
                let _ = conn.recv_stream(stream).stop(VarInt::from_u32(H3_STREAM_CREATION_ERROR));
                Ok(())
            }
        }
    }

    fn read_settings(&mut self, conn: &mut Connection) -> Result<(), Fault> {
        let Some((stream, bytes)) = &mut self.control else { return Ok(()) };
        loop {
            match read(conn, *stream, limits::REQUEST_BYTES_MAX) {
                // What comes after the settings is about priorities and other requests.
                Piece::Bytes(_) if self.has_settings => {}
                Piece::Bytes(more) => bytes.extend_from_slice(&more),
                Piece::Later => break,
                Piece::End => return Err("the control stream was closed".to_owned()),
            }
            bounded(bytes)?;
        }
        if self.has_settings {
            return Ok(());
        }
        // The decoder wants the type of the stream as well.
        let kind = Bytes::from_static(&[0]);
        let mut all = kind.chain(&bytes[..]);
        match h3::Settings::decode(&mut all) {
            Ok(settings) if settings.supports_webtransport() == 0 => {
                Err("the client has no WebTransport".to_owned())
            }
            Ok(_) => {
                self.has_settings = true;
                *bytes = BytesMut::new();
                Ok(())
            }
            Err(h3::SettingsError::UnexpectedEnd) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Reads the request, or, once it was granted, capsules.
    fn read_request(&mut self, conn: &mut Connection) -> Result<Said, Fault> {
        let Some((stream, bytes)) = &mut self.request else { return Ok(Said::Nothing) };
        let has_ended = loop {
            match read(conn, *stream, limits::REQUEST_BYTES_MAX) {
                Piece::Bytes(more) => bytes.extend_from_slice(&more),
                Piece::Later => break false,
                Piece::End => break true,
            }
            bounded(bytes)?;
        };
        let said = if self.session.is_some() { self.read_capsules()? } else { self.answer(conn)? };
        Ok(if has_ended && said == Said::Nothing { Said::Closed(None) } else { said })
    }

    /// Grants the session once settings and request are there.
    fn answer(&mut self, conn: &mut Connection) -> Result<Said, Fault> {
        let Some((stream, bytes)) = &mut self.request else { return Ok(Said::Nothing) };
        if self.session.is_some() || !self.has_settings {
            return Ok(Said::Nothing);
        }
        let mut rest = &bytes[..];
        match h3::ConnectRequest::decode(&mut rest) {
            Ok(_) => {}
            Err(h3::ConnectError::UnexpectedEnd) => return Ok(Said::Nothing),
            Err(error) => return Err(error.to_string()),
        }
        let taken = bytes.len() - rest.len();
        bytes.advance(taken);
        let mut answer = Vec::new();
        h3::ConnectResponse::OK.encode(&mut answer).map_err(|error| error.to_string())?;
        write(conn, *stream, &answer)?;
        self.session = Some(Session::new(*stream));
        Ok(Said::Open)
    }

    fn read_capsules(&mut self) -> Result<Said, Fault> {
        let Some((_, bytes)) = &mut self.request else { return Ok(Said::Nothing) };
        loop {
            let mut rest = &bytes[..];
            let Ok((kind, data)) = h3::Frame::read(&mut rest) else { break };
            let size = data.remaining();
            let data = data.into_inner();
            if kind == h3::Frame::DATA {
                self.capsules.extend_from_slice(&data[..size]);
            }
            let taken = bytes.len() - data.len() + size;
            bytes.advance(taken);
        }
        bounded(&self.capsules)?;
        loop {
            let mut rest = &self.capsules[..];
            match h3::Capsule::decode(&mut rest) {
                Ok(h3::Capsule::CloseWebTransportSession { code, reason }) => {
                    return Ok(Said::Closed(Some((code, reason))));
                }
                Ok(h3::Capsule::Grease { .. } | h3::Capsule::Unknown { .. }) => {
                    let taken = self.capsules.len() - rest.len();
                    self.capsules.advance(taken);
                }
                Err(h3::CapsuleError::UnexpectedEnd | h3::CapsuleError::VarInt(_)) => {
                    return Ok(Said::Nothing);
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

impl Session {
    fn new(request: StreamId) -> Self {
        let id = number(request);
        let mut stream_header = Vec::new();
        h3::StreamUni::WEBTRANSPORT.encode(&mut stream_header);
        let mut datagram_header = Vec::new();
        // Numbers of streams have 62 bits.
        if let (Ok(id), Ok(quarter)) = (h3::VarInt::from_u64(id), h3::VarInt::from_u64(id / 4)) {
            id.encode(&mut stream_header);
            quarter.encode(&mut datagram_header);
        }
        Self { stream_header: stream_header.into(), datagram_header: datagram_header.into() }
    }
}

/// What a read found.
enum Piece {
    Bytes(Bytes),
    /// Nothing more came yet.
    Later,
    /// The stream ended or was reset.
    End,
}

fn read(conn: &mut Connection, stream: StreamId, bytes_max: usize) -> Piece {
    let mut stream = conn.recv_stream(stream);
    let Ok(mut chunks) = stream.read(true) else { return Piece::End };
    match chunks.next(bytes_max) {
        Ok(Some(chunk)) => Piece::Bytes(chunk.bytes),
        Err(ReadError::Blocked) => Piece::Later,
        Ok(None) | Err(ReadError::Reset(_)) => Piece::End,
    }
}

/// Writes all or fails: what HTTP says is less than any window.
fn write(conn: &mut Connection, stream: StreamId, bytes: &[u8]) -> Result<(), Fault> {
    // Above the game's: what waits there is about the session as a whole.
    let _ = conn.send_stream(stream).set_priority(i32::MAX);
    match conn.send_stream(stream).write(bytes) {
        Ok(written) if written == bytes.len() => Ok(()),
        Ok(_) => Err("the client's window is too small for HTTP/3".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// How many bytes of the header of a stream are missing at least; 0: none. The first number is the type, a second one the session.
fn missing(header: &[u8]) -> usize {
    // The two highest bits say how long a number is (RFC 9000 §16).
    let length = |bytes: &[u8]| bytes.first().map_or(1, |first| 1_usize << (first >> 6));
    let first = length(header);
    if header.len() < first {
        return first - header.len();
    }
    let is_ours =
        h3::StreamUni::decode(&mut &header[..]).is_ok_and(|kind| kind == h3::StreamUni::WEBTRANSPORT);
    if !is_ours {
        return 0;
    }
    let second = &header[first..];
    length(second).saturating_sub(second.len())
}

fn bounded(bytes: &BytesMut) -> Result<(), Fault> {
    if bytes.len() > limits::REQUEST_BYTES_MAX {
        return Err("a request of more bytes than are allowed".to_owned());
    }
    Ok(())
}

fn number(stream: StreamId) -> u64 {
    VarInt::from(stream).into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_to_its_end_and_not_further() {
        let walk = |bytes: &[u8]| {
            let mut read = 0;
            while read < bytes.len() {
                match missing(&bytes[..read]) {
                    0 => break,
                    more => read += more,
                }
            }
            read
        };
        assert_eq!(walk(&[0x00, 9, 9]), 1, "a control stream");
        assert_eq!(walk(&[0x40, 0x54, 0x00, 9, 9]), 3, "ours, of session 0");
        assert_eq!(walk(&[0x40, 0x54, 0x40, 0x04, 9]), 4, "ours, of a session with a longer number");
        assert_eq!(walk(&[0xC0, 0, 0, 0, 0, 0, 0, 0x21, 9]), 8, "grease");
    }

    #[test]
    fn a_datagram_names_a_quarter_of_the_stream_of_its_session() {
        let stream = StreamId::new(quinn_proto::Side::Client, Dir::Bi, 3);
        let session = Session::new(stream);
        assert_eq!(&session.stream_header[..], [0x40, 0x54, 12]);
        assert_eq!(&session.datagram_header[..], [3]);
    }
}
