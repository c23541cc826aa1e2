//! What systems say to the outside.

use crate::arena::{Arena, Client};
use crate::game::space;

#[test]
fn a_push_of_a_system_reaches_every_viewer_once() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    let mut clients: Vec<Client> = (1..4).map(|session| Client::new(session, 1)).collect();
    for client in &clients {
        arena.subscribe(client.session, me, 1, 1_100);
    }
    arena.tell(space::Speak { text: "hello".into() });
    arena.ticks(3);
    for client in &mut clients {
        client.take(&mut arena);
        assert_eq!(client.heard, ["hello"]);
    }
}
