//! A process's ends of connections: how they come, what they hear, and how they go.
//!
//! It dials nobody itself, and knows no bytes: the world does.

use std::time::Duration;

use base::region::RegionId;
use clock::time::Moment;
use replica_core::frame::Frame;
use replica_core::limits::{GREETING_PATIENCE, REDIAL};
use replica_core::link::LinkError;
use replica_core::link::receive::{self, Receiver};
use replica_core::link::send::{self, Sender};

use crate::data::process::{Effect, Place, Process};
use crate::data::run::Mistake;

/// Which of the two connections with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that was dialled here, over which our log goes.
    Sending,
    /// The one that was accepted here, over which the peer's log comes.
    Receiving,
}

impl Role {
    /// Returns what this connection is to the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Sending => Self::Receiving,
            Self::Receiving => Self::Sending,
        }
    }
}

/// The sending side towards one peer.
pub(super) struct Sending {
    pub(super) sender: Sender,
    pub(super) connection: Option<u64>,
    /// A connection that is being made, and how long it may take.
    pub(super) dialing: Option<(u64, Moment)>,
    pub(super) redial: Moment,
    pub(super) wait: Duration,
}

/// The receiving side from one peer.
pub(super) struct Receiving {
    pub(super) receiver: Receiver,
    pub(super) connection: Option<u64>,
}

impl Process {
    /// Notes that a connection to a peer is being made.
    pub fn dialing(&mut self, peer: usize, connection: u64) {
        let until = self.now().moment + GREETING_PATIENCE;
        if let Some(sending) = self.sending.get_mut(&peer) {
            sending.dialing = Some((connection, until));
        }
    }

    /// Takes over a connection that was dialled here and has been accepted. Returns whether it
    /// was waited for.
    pub fn welcomed(&mut self, peer: usize, connection: u64) -> bool {
        let now = self.now();
        let local = self.tables.local();
        let Some(sending) = self.sending.get_mut(&peer) else {
            return false;
        };
        if sending.dialing.map(|(dialing, _)| dialing) != Some(connection) {
            return false;
        }
        sending.dialing = None;
        sending.connection = Some(connection);
        sending.wait = REDIAL.0;
        let sender = &mut sending.sender;
        sender.handle_input(now, send::Input::Local(local));
        sender.handle_input(now, send::Input::Up);
        true
    }

    /// Takes over a connection from a peer, in place of any before.
    pub fn accept(&mut self, peer: usize, connection: u64) {
        let before = self.receiving.get(&peer).and_then(|it| it.connection);
        if let Some(before) = before {
            self.hang(peer, before, Role::Receiving);
            self.effects.push(Effect::Hang(before, Role::Receiving));
        }
        let now = self.now();
        let local = self.tables.local();
        self.mesh.up(self.place.id(peer));
        if let Some(receiving) = self.receiving.get_mut(&peer) {
            receiving.connection = Some(connection);
            let receiver = &mut receiving.receiver;
            receiver.handle_input(now, receive::Input::Local(local));
            receiver.handle_input(now, receive::Input::Up);
        }
    }

    /// Returns whether this end of a connection is open.
    pub fn has(&self, peer: usize, connection: u64, role: Role) -> bool {
        let open = match role {
            Role::Sending => self.sending.get(&peer).and_then(|it| it.connection),
            Role::Receiving => self.receiving.get(&peer).and_then(|it| it.connection),
        };
        open == Some(connection)
    }

    /// Takes a frame in.
    pub fn hear(&mut self, peer: usize, role: Role, frame: Frame) {
        let now = self.now();
        match role {
            Role::Sending => {
                if let Some(Sending { sender, .. }) = self.sending.get_mut(&peer) {
                    sender.handle_input(now, send::Input::Heard);
                    sender.handle_input(now, send::Input::Frame(frame));
                }
            }
            Role::Receiving => {
                if let Some(Receiving { receiver, .. }) = self.receiving.get_mut(&peer) {
                    receiver.handle_input(now, receive::Input::Heard);
                    receiver.handle_input(now, receive::Input::Frame(frame));
                }
            }
        }
    }

    /// Gives a connection up, also one that is being made.
    pub fn hang(&mut self, peer: usize, connection: u64, role: Role) {
        let now = self.now();
        match role {
            Role::Sending => {
                let Some(sending) = self.sending.get_mut(&peer) else {
                    return;
                };
                let dialing = sending.dialing.map(|(dialing, _)| dialing);
                if dialing == Some(connection) {
                    sending.dialing = None;
                } else if sending.connection == Some(connection) {
                    sending.connection = None;
                    sending.sender.handle_input(now, send::Input::Down);
                } else {
                    return;
                }
                sending.redial = now.moment + sending.wait;
                sending.wait = (sending.wait * 2).min(REDIAL.1);
            }
            Role::Receiving => {
                let Some(receiving) = self.receiving.get_mut(&peer) else {
                    return;
                };
                if receiving.connection == Some(connection) {
                    receiving.connection = None;
                    receiving.receiver.handle_input(now, receive::Input::Down);
                    self.mesh.down(now.moment, self.place.id(peer));
                }
            }
        }
    }

    pub(super) fn close(
        &mut self,
        peer: usize,
        connection: Option<u64>,
        role: Role,
        error: &LinkError,
    ) {
        match error {
            // The disk fails: the process ends by that.
            LinkError::Silent(_) | LinkError::Unread => {}
            LinkError::Refused(_) | LinkError::Protocol(_) | LinkError::Rewound { .. } => {
                let what = format!("with {peer}, {role:?}: {error}");
                self.effects.push(Effect::Wrong(what));
            }
        }
        if let Some(connection) = connection {
            self.hang(peer, connection, role);
            self.effects.push(Effect::Hang(connection, role));
        }
    }
}

impl Sending {
    pub(super) fn new(place: &Place, now: Moment, mistake: Mistake) -> Self {
        let mut sender = Sender::new(place.names[place.at].clone());
        sender.plant(mistake.link);
        Self {
            sender,
            connection: None,
            dialing: None,
            redial: now,
            wait: REDIAL.0,
        }
    }
}

impl Receiving {
    pub(super) fn new(peer: RegionId, mistake: Mistake) -> Self {
        let mut receiver = Receiver::new(peer);
        receiver.plant(mistake.link);
        Self {
            receiver,
            connection: None,
        }
    }
}
