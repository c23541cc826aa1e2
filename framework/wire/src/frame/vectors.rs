//! Golden bytes of every frame, and bytes that have to be refused: `client-sdk/vectors/frames.json`.
//!
//! *Responsible for*: writing the file from this list; a stale file is rewritten and the test fails once, so that a change
//! of bytes is seen in a diff. TypeScript reads the same file. Old vectors stay: they have to decode for ever.

use std::fmt::Write as _;
use std::path::Path;

use lightmoon_contract::{
    ActorId, ErrorCode, Fingerprint, Kind, Lane, NetId, OperationNumber, Priority, Reliability, SessionId,
};

use super::*;
use crate::close::CloseCode;

/// Every kind of frame at least once, under a name that never changes.
pub(super) fn examples() -> Vec<(&'static str, Frame)> {
    let mut examples = handshake_examples();
    examples.extend(lane_examples());
    examples.extend(call_examples());
    examples.extend(view_examples());
    examples
}

fn handshake_examples() -> Vec<(&'static str, Frame)> {
    let fingerprint = Fingerprint(0x0123_4567_89AB_CDEF_0011_2233_4455_6677);
    vec![
        (
            "hello of minor 0",
            Frame::Hello(Hello {
                minor: 0,
                features: 0,
                fingerprint,
                token: Bytes::from_static(b"guest"),
                ticket: Bytes::new(),
                first_request: 0,
                held: Vec::new(),
            }),
        ),
        (
            "hello with features and no token",
            Frame::Hello(Hello {
                minor: 300,
                features: u64::MAX,
                fingerprint: Fingerprint(5),
                token: Bytes::new(),
                ticket: Bytes::new(),
                first_request: 1,
                held: Vec::new(),
            }),
        ),
        (
            "hello of minor 1 with a ticket",
            Frame::Hello(Hello {
                minor: 1,
                features: 0,
                fingerprint,
                token: Bytes::from_static(b"guest"),
                ticket: Bytes::from_static(&[1, 2, 3]),
                first_request: 300,
                held: Vec::new(),
            }),
        ),
        ("describe", Frame::Describe(Describe)),
        ("describing", Frame::Describing(Describing { descriptor: Bytes::from_static(&[1, 2, 3]) })),
        (
            "welcome",
            Frame::Welcome(Welcome {
                minor: 0,
                features: 1,
                session: SessionId(0xFEDC_BA98_7654_3210),
                player: 70_000,
                tick_hz: 20,
                goes_on: false,
                held: Vec::new(),
            }),
        ),
        (
            "refuse",
            Frame::Refuse(Refuse { code: CloseCode::Incompatible, reason: "field `x` is gone".to_owned() }),
        ),
        ("goodbye", Frame::Goodbye(Goodbye { code: CloseCode::Replaced, reason: "à bientôt €".to_owned() })),
        (
            "goodbye with a code of a newer peer",
            Frame::Goodbye(Goodbye { code: CloseCode::Unknown(70_000), reason: String::new() }),
        ),
        ("ticket", Frame::Ticket(Ticket { bytes: Bytes::from_static(&[1, 0xFF, 0, 7]) })),
    ]
}

fn lane_examples() -> Vec<(&'static str, Frame)> {
    vec![
        (
            "hello of minor 2 that holds frames",
            Frame::Hello(Hello {
                minor: 2,
                features: 0,
                fingerprint: Fingerprint(0x0123_4567_89AB_CDEF_0011_2233_4455_6677),
                token: Bytes::from_static(b"guest"),
                ticket: Bytes::from_static(&[1, 2, 3]),
                first_request: 300,
                held: vec![
                    Held { lane: Lane::CONTROL, frames: 3 },
                    Held { lane: Lane::new(Priority::Low, Reliability::ReliableUnordered), frames: 70_000 },
                ],
            }),
        ),
        (
            "welcome back of minor 2",
            Frame::Welcome(Welcome {
                minor: 2,
                features: 0,
                session: SessionId(5),
                player: 7,
                tick_hz: 0,
                goes_on: true,
                held: vec![Held {
                    lane: Lane::new(Priority::Normal, Reliability::ReliableOrdered),
                    frames: 251,
                }],
            }),
        ),
        (
            "lane ack",
            Frame::LaneAck(LaneAck {
                lane: Lane::new(Priority::Low, Reliability::ReliableOrdered),
                bytes: 1 << 33,
                frames: 300,
            }),
        ),
    ]
}

fn call_examples() -> Vec<(&'static str, Frame)> {
    let (kind, number) = (Kind(2), OperationNumber(1));
    let call = |request, target, args: &'static [u8]| {
        Frame::Call(Call { request, target, kind, number, args: Bytes::from_static(args) })
    };
    let unreliable = |sequence, reliability, target| {
        let lane = Lane { priority: Priority::High, reliability };
        Frame::UnreliableCall(UnreliableCall {
            sequence,
            lane,
            target,
            kind,
            number,
            args: Bytes::from_static(&[8, 9]),
        })
    };
    vec![
        ("call of the own player, one-way", call(0, Aimed::Own, &[])),
        ("call of the zone, request", call(300, Aimed::Zone { generation: 3 }, &[1, 2, 3])),
        ("call of an actor, request", call(u64::MAX, Aimed::Actor { key: 1 << 40 }, &[0xFF])),
        ("answer with a value", Frame::Answer(Answer { request: 300, result: Ok(Bytes::from_static(&[7])) })),
        ("answer without a value", Frame::Answer(Answer { request: 1, result: Ok(Bytes::new()) })),
        (
            "answer with an error",
            Frame::Answer(Answer {
                request: 251,
                result: Err(Fault { code: ErrorCode::BUSY, text: "too busy".to_owned() }),
            }),
        ),
        (
            "push",
            Frame::Push(Push {
                from: ActorId::new(Kind(1), 5),
                number: OperationNumber(4),
                args: Bytes::from_static(b"hi"),
            }),
        ),
        ("unreliable call of the own player", unreliable(0, Reliability::Unreliable, Aimed::Own)),
        (
            "unreliable-latest call of the zone",
            unreliable(u32::MAX, Reliability::UnreliableLatest, Aimed::Zone { generation: 1 }),
        ),
        ("ping", Frame::Ping(Ping { nonce: 1 })),
        ("pong", Frame::Pong(Pong { nonce: u64::MAX })),
    ]
}

fn view_examples() -> Vec<(&'static str, Frame)> {
    let zone = ActorId::new(Kind(1), 1);
    vec![
        (
            "attach",
            Frame::Attach(Attach { generation: 1, zone, avatar: NetId::from_parts(1, 42), tick_hz: 20 }),
        ),
        (
            "attach of a spectator",
            Frame::Attach(Attach { generation: u32::MAX, zone, avatar: NetId::NONE, tick_hz: 300 }),
        ),
        ("detach", Frame::Detach(Detach { generation: 1 })),
        ("view", Frame::View(View { generation: 1, payload: Bytes::from_static(&[0xAA; 3]) })),
        ("view of over 250 bytes", Frame::View(View { generation: 1, payload: vec![0x55; 260].into() })),
        ("state", Frame::State(State { generation: 1, payload: Bytes::from_static(&[0xBB; 4]) })),
        ("delta", Frame::Delta(Delta { generation: 2, payload: Bytes::from_static(&[0xCC; 5]) })),
        ("input without calls", Frame::Input(Input { received: Received::default(), calls: Vec::new() })),
        ("input with two calls", input()),
    ]
}

fn input() -> Frame {
    let received = Received { generation: 3, tick: 70_000, received: 0xFFFF_FFFD, views: 255 };
    let call = |sequence, reliability| UnreliableCall {
        sequence,
        lane: Lane { priority: Priority::High, reliability },
        target: Aimed::Zone { generation: 3 },
        kind: Kind(2),
        number: OperationNumber(1),
        args: Bytes::from_static(&[8, 9]),
    };
    let calls = vec![call(8, Reliability::UnreliableLatest), call(9, Reliability::Unreliable)];
    Frame::Input(Input { received, calls })
}

/// What has to be refused: name, who sent it, whether on a stream, the bytes, the close code.
fn refused() -> Vec<(&'static str, Sender, On, Vec<u8>, CloseCode)> {
    let mut long_reason = vec![6, 0, 0xFB, 1, 1];
    long_reason.extend([b'x'; 257]);
    let mut long_token = vec![1, 0, 0, 0, 0xFB, 1, 4];
    long_token.extend([0; 1_025]);
    let mut long_ticket = vec![7, 97];
    long_ticket.extend([0; 97]);
    let (client, server) = (Sender::Client, Sender::Server);
    let (violation, too_large) = (CloseCode::ProtocolViolation, CloseCode::TooLarge);
    vec![
        ("no frame at all", client, On::Datagram, vec![], violation),
        ("length 0", client, On::Stream, vec![0], violation),
        ("unknown kind", client, On::Stream, vec![1, 200], violation),
        ("kind of the other side", client, On::Stream, vec![1, 2], violation),
        ("datagram kind on a stream", client, On::Stream, vec![2, 50, 1], violation),
        ("stream kind in a datagram", server, On::Datagram, vec![33, 1], violation),
        ("detach that ends early", server, On::Stream, vec![1, 33], violation),
        ("detach with a byte left over", server, On::Stream, vec![3, 33, 1, 0], violation),
        (
            "number wider than its type",
            server,
            On::Stream,
            vec![10, 33, 0xFD, 0, 0, 0, 0, 1, 0, 0, 0],
            violation,
        ),
        ("reserved tag of a number", server, On::Stream, vec![2, 33, 0xFF], violation),
        ("target that does not exist", client, On::Stream, vec![7, 16, 0, 3, 0, 2, 1, 0], violation),
        ("result that does not exist", server, On::Stream, vec![4, 17, 1, 2, 0], violation),
        ("reason that is not UTF-8", server, On::Stream, vec![5, 6, 0, 2, 0xC3, 0x28], violation),
        ("reliable lane in a datagram", client, On::Datagram, vec![49, 0, 0x13, 0, 2, 1, 0], violation),
        ("bytes longer than the frame", server, On::Stream, vec![4, 34, 1, 9, 0], violation),
        ("reason over 256 bytes", server, On::Stream, with_length(&long_reason), too_large),
        ("token over 1,024 bytes", client, On::Stream, with_length(&long_token), too_large),
        ("ticket over 96 bytes", server, On::Stream, with_length(&long_ticket), too_large),
        ("hello of minor 1 without its ticket", client, On::Stream, vec![5, 1, 1, 0, 0, 0], violation),
        ("hello of minor 0 with a ticket", client, On::Stream, vec![7, 1, 0, 0, 0, 0, 0, 1], violation),
        (
            "call over its limit by its length alone",
            client,
            On::Stream,
            vec![0xFB, 0x00, 0x50, 16],
            too_large,
        ),
        ("length over 32 bits", server, On::Stream, vec![0xFD, 0, 0, 0, 0, 1, 0, 0, 0], too_large),
    ]
}

/// The same of what minor 2 added.
fn refused_of_lanes() -> Vec<(&'static str, Sender, On, Vec<u8>, CloseCode)> {
    let (client, server) = (Sender::Client, Sender::Server);
    let violation = CloseCode::ProtocolViolation;
    vec![
        (
            "hello of minor 2 without what it holds",
            client,
            On::Stream,
            vec![7, 1, 2, 0, 0, 0, 0, 0],
            violation,
        ),
        (
            "hello of minor 1 with what it holds",
            client,
            On::Stream,
            vec![8, 1, 1, 0, 0, 0, 0, 0, 0],
            violation,
        ),
        ("hello that holds of nine lanes", client, On::Stream, vec![8, 1, 2, 0, 0, 0, 0, 0, 9], violation),
        (
            "hello that holds of lanes that do not ascend",
            client,
            On::Stream,
            vec![12, 1, 2, 0, 0, 0, 0, 0, 2, 0x13, 1, 0x03, 1],
            violation,
        ),
        (
            "hello that holds of an unreliable lane",
            client,
            On::Stream,
            vec![10, 1, 2, 0, 0, 0, 0, 0, 1, 0x11, 1],
            violation,
        ),
        ("lane ack of an unreliable lane", server, On::Stream, vec![4, 8, 0x10, 0, 0], violation),
        ("lane ack that ends early", client, On::Stream, vec![3, 8, 0x03, 0], violation),
    ]
}

fn with_length(inside: &[u8]) -> Vec<u8> {
    let mut to = Writer::new();
    to.bytes(inside);
    to.into_bytes()
}

/// Reads bytes as the other side would, up to the first violation.
fn read_as_link(sender: Sender, on: On, bytes: &[u8]) -> Result<(), Violation> {
    match on {
        On::Datagram => read_datagram(sender, bytes).map(drop),
        On::Stream => {
            let (length, header) = read_length(bytes)?.expect("the length is whole");
            if length == 0 {
                return Err(Violation::protocol("frame without a kind"));
            }
            check_length(sender, bytes[header], length)?;
            read_stream(sender, &bytes[header..header + length]).map(drop)
        }
    }
}

#[test]
fn what_has_to_be_refused_is_refused_with_its_code() {
    for (name, sender, on, bytes, code) in refused().into_iter().chain(refused_of_lanes()) {
        let result = read_as_link(sender, on, &bytes);
        assert_eq!(result.map_err(|violation| violation.code), Err(code), "{name}");
    }
}

#[test]
fn the_golden_file_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../client-sdk/vectors/frames.json");
    let fresh = json();
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    if stored != fresh {
        std::fs::write(&path, &fresh).expect("the vectors can be written");
        panic!(
            "client-sdk/vectors/frames.json was stale and is rewritten; look at the change, then run again"
        );
    }
}

fn json() -> String {
    let mut out = String::from("{\n  \"protocol\": \"lightmoon/1\",\n  \"minor\": 2,\n  \"frames\": [\n");
    let examples = examples();
    for (at, (name, frame)) in examples.iter().enumerate() {
        let (sent_by, on) = frame.kind().path();
        let from = match sent_by {
            SentBy::Client => "client",
            SentBy::Server => "server",
            SentBy::Both => "both",
        };
        let comma = if at + 1 == examples.len() { "" } else { "," };
        let _ = writeln!(
            out,
            "    {{\"name\": \"{name}\", \"frame\": \"{}\", \"kind\": {}, \"from\": \"{from}\", \"on\": \"{}\",\n     \
             \"hex\": \"{}\",\n     \"fields\": {{{}}}}}{comma}",
            frame.name(),
            frame.kind() as u8,
            on_name(on),
            hex(&frame.bytes()),
            fields(frame),
        );
    }
    out.push_str("  ],\n  \"alone\": [\n");
    out.push_str(&alone());
    out.push_str("  ],\n  \"refused\": [\n");
    let refused: Vec<_> = refused().into_iter().chain(refused_of_lanes()).collect();
    for (at, (name, sender, on, bytes, code)) in refused.iter().enumerate() {
        let from = match sender {
            Sender::Client => "client",
            Sender::Server => "server",
        };
        let comma = if at + 1 == refused.len() { "" } else { "," };
        let _ = writeln!(
            out,
            "    {{\"name\": \"{name}\", \"from\": \"{from}\", \"on\": \"{}\", \"code\": \"{code}\",\n     \"hex\": \"{}\"}}{comma}",
            on_name(*on),
            hex(bytes)
        );
    }
    out.push_str("  ]\n}\n");
    out
}

/// Streams that hold one frame.
fn alone() -> String {
    const LANE: Lane = Lane::new(Priority::Normal, Reliability::ReliableUnordered);
    let call = Call {
        request: 7,
        target: Aimed::Own,
        kind: Kind(1),
        number: OperationNumber(2),
        args: Bytes::from_static(b"alone"),
    };
    let answer = Answer { request: 7, result: Ok(Bytes::from_static(b"done")) };
    let row = |name: &str, from: &str, bytes: Option<Bytes>, comma: &str| {
        let bytes = hex(&bytes.expect("it is small enough"));
        let lane = LANE.number();
        format!(
            "    {{\"name\": \"{name}\", \"from\": \"{from}\", \"lane\": {lane}, \"hex\": \"{bytes}\"}}{comma}\n"
        )
    };
    row("a request", "client", solo_bytes(LANE, &call), ",")
        + &row("its answer", "server", solo_bytes(LANE, &answer), "")
}

const fn on_name(on: On) -> &'static str {
    match on {
        On::Stream => "stream",
        On::Datagram => "datagram",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A frame's fields as JSON: numbers over 32 bits as text, bytes in hex.
fn fields(frame: &Frame) -> String {
    match frame {
        Frame::Hello(hello) => hello_fields(hello),
        Frame::Describe(Describe) => String::new(),
        Frame::Describing(Describing { descriptor }) => format!("\"descriptor\": \"{}\"", hex(descriptor)),
        Frame::Welcome(welcome) => welcome_fields(welcome),
        Frame::LaneAck(LaneAck { lane, bytes, frames }) => {
            format!("\"lane\": {}, \"bytes\": \"{bytes}\", \"frames\": \"{frames}\"", lane.number())
        }
        Frame::Refuse(Refuse { code, reason }) | Frame::Goodbye(Goodbye { code, reason }) => {
            format!("\"code\": {}, \"reason\": \"{reason}\"", code.number())
        }
        Frame::Ticket(Ticket { bytes }) => format!("\"ticket\": \"{}\"", hex(bytes)),
        Frame::Call(Call { request, target, kind, number, args }) => format!(
            "\"request\": \"{request}\", {}, \"kind\": {kind}, \"number\": {number}, \"args\": \"{}\"",
            target_fields(*target),
            hex(args)
        ),
        Frame::Answer(Answer { request, result: Ok(value) }) => {
            format!("\"request\": \"{request}\", \"value\": \"{}\"", hex(value))
        }
        Frame::Answer(Answer { request, result: Err(Fault { code, text }) }) => {
            format!("\"request\": \"{request}\", \"errorCode\": {}, \"errorText\": \"{text}\"", code.0)
        }
        Frame::Push(Push { from, number, args }) => format!(
            "\"fromKind\": {}, \"fromKey\": \"{}\", \"number\": {number}, \"args\": \"{}\"",
            from.kind,
            from.key,
            hex(args)
        ),
        Frame::Attach(Attach { generation, zone, avatar, tick_hz }) => format!(
            "\"generation\": {generation}, \"zoneKind\": {}, \"zoneKey\": \"{}\", \"avatar\": \"{}\", \"tickHz\": {tick_hz}",
            zone.kind, zone.key, avatar.0
        ),
        Frame::Detach(Detach { generation }) => format!("\"generation\": {generation}"),
        Frame::View(View { generation, payload })
        | Frame::State(State { generation, payload })
        | Frame::Delta(Delta { generation, payload }) => {
            format!("\"generation\": {generation}, \"payload\": \"{}\"", hex(payload))
        }
        Frame::UnreliableCall(call) => unreliable_fields(call),
        Frame::Input(Input { received, calls }) => {
            let Received { generation, tick, received, views } = received;
            let calls: Vec<String> =
                calls.iter().map(|call| format!("{{ {} }}", unreliable_fields(call))).collect();
            format!(
                "\"generation\": {generation}, \"tick\": {tick}, \"received\": {received}, \"views\": {views}, \"calls\": [{}]",
                calls.join(", ")
            )
        }
        Frame::Ping(Ping { nonce }) | Frame::Pong(Pong { nonce }) => format!("\"nonce\": \"{nonce}\""),
    }
}

fn unreliable_fields(call: &UnreliableCall) -> String {
    let UnreliableCall { sequence, lane, target, kind, number, args } = call;
    format!(
        "\"sequence\": {sequence}, \"lane\": {}, {}, \"kind\": {kind}, \"number\": {number}, \"args\": \"{}\"",
        lane.number(),
        target_fields(*target),
        hex(args)
    )
}

fn hello_fields(hello: &Hello) -> String {
    let Hello { minor, features, fingerprint, token, ticket, first_request, held } = hello;
    let mut fields = format!(
        "\"minor\": {minor}, \"features\": \"{features}\", \"fingerprint\": \"{}\", \"token\": \"{}\"",
        fingerprint.0,
        hex(token)
    );
    if *minor >= crate::MINOR_TICKETS {
        let _ = write!(fields, ", \"ticket\": \"{}\", \"firstRequest\": \"{first_request}\"", hex(ticket));
    }
    if *minor >= crate::MINOR_LANES {
        fields += &held_fields(held);
    }
    fields
}

fn welcome_fields(welcome: &Welcome) -> String {
    let Welcome { minor, features, session, player, tick_hz, goes_on, held } = welcome;
    let mut fields = format!(
        "\"minor\": {minor}, \"features\": \"{features}\", \"session\": \"{}\", \"player\": \"{player}\", \"tickHz\": {tick_hz}",
        session.0
    );
    if *minor >= crate::MINOR_LANES {
        let _ = write!(fields, ", \"goesOn\": {goes_on}");
        fields += &held_fields(held);
    }
    fields
}

fn held_fields(held: &[Held]) -> String {
    let items: Vec<_> = held
        .iter()
        .map(|Held { lane, frames }| format!("{{\"lane\": {}, \"frames\": \"{frames}\"}}", lane.number()))
        .collect();
    format!(", \"held\": [{}]", items.join(", "))
}

fn target_fields(target: Aimed) -> String {
    match target {
        Aimed::Own => "\"target\": \"own\"".to_owned(),
        Aimed::Zone { generation } => format!("\"target\": \"zone\", \"generation\": {generation}"),
        Aimed::Actor { key } => format!("\"target\": \"actor\", \"key\": \"{key}\""),
    }
}
