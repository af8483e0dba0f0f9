//! A resolver's question with EDNS client subnet, and the first address of the answer.
//!
//! It is the client's side, small on purpose: it checks the server with other code than its own.
//! Source: RFC 1035 §4.1, RFC 6891 §6.1.2, RFC 7871 §6.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::UdpSocket;

use manifest::model::Subnet;

/// How long one question waits for its answer. 1 s, then it is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a question is asked. 3, as resolvers do.
const TRIES_MAX: u16 = 3;

/// An answer's address and how long it may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) address: Ipv4Addr,
    pub(crate) ttl: Duration,
}

/// Asks `server` for the address of `name`, for a client in `subnet`.
///
/// Errors: when no answer comes, or it holds no address.
pub(crate) async fn ask(server: SocketAddr, name: &str, subnet: &Subnet) -> anyhow::Result<Found> {
    let socket = UdpSocket::bind("127.0.0.1:0")
        .await
        .context("open a socket")?;
    let mut buf = [0; 1232];
    for id in 1..=TRIES_MAX {
        socket
            .send_to(&question(id, name, subnet), server)
            .await
            .context("ask")?;
        let answer = tokio::time::timeout(PATIENCE, socket.recv_from(&mut buf)).await;
        let Ok(answer) = answer else {
            continue;
        };
        let (length, _) = answer.context("hear the answer")?;
        let message = buf.get(..length).unwrap_or_default();
        if message.get(..2) == Some(&id.to_be_bytes()) {
            return found(message).with_context(|| format!("ask {server} for {name}"));
        }
    }
    bail!("ask {server} for {name}: no answer to {TRIES_MAX} questions")
}

fn question(id: u16, name: &str, subnet: &Subnet) -> Vec<u8> {
    let mut message = Vec::with_capacity(80);
    message.extend(id.to_be_bytes());
    // No recursion is asked for: this stands for a resolver that asks the authority.
    message.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    for label in name.split('.').filter(|label| !label.is_empty()) {
        message.push(u8::try_from(label.len()).unwrap_or(63));
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    let IpAddr::V4(address) = subnet.address else {
        // Without a subnet the server goes by where the question comes from.
        message.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        return message;
    };
    let bytes = usize::from(subnet.prefix.div_ceil(8));
    let option = 4 + bytes;
    message.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0]);
    message.extend(u16::try_from(4 + option).unwrap_or(12).to_be_bytes());
    message.extend([0, 8]);
    message.extend(u16::try_from(option).unwrap_or(8).to_be_bytes());
    message.extend([0, 1, subnet.prefix, 0]);
    message.extend(address.octets().iter().take(bytes));
    message
}

fn found(message: &[u8]) -> anyhow::Result<Found> {
    let u16_at = |at: usize| {
        let bytes = message.get(at..at + 2).context("the answer is cut off")?;
        Ok::<_, anyhow::Error>(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let code = u16_at(2)? & 0xf;
    if code != 0 {
        bail!("the answer says that it failed (code {code})");
    }
    let answers = u16_at(6)?;
    let mut at = skip_name(message, 12)? + 4;
    for _ in 0..answers {
        at = skip_name(message, at)?;
        let (kind, length) = (u16_at(at)?, usize::from(u16_at(at + 8)?));
        let ttl = u32::from(u16_at(at + 4)?) << 16 | u32::from(u16_at(at + 6)?);
        let data = message
            .get(at + 10..at + 10 + length)
            .context("the answer is cut off")?;
        if let (1, [a, b, c, d]) = (kind, data) {
            let address = Ipv4Addr::new(*a, *b, *c, *d);
            return Ok(Found {
                address,
                ttl: Duration::from_secs(ttl.into()),
            });
        }
        at += 10 + length;
    }
    bail!("the answer holds no address")
}

fn skip_name(message: &[u8], mut at: usize) -> anyhow::Result<usize> {
    loop {
        match message.get(at).context("the answer is cut off")? {
            0 => return Ok(at + 1),
            pointer if *pointer >= 0xc0 => return Ok(at + 2),
            length => at += 1 + usize::from(*length),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Tests of questions and answers.

    use std::net::Ipv4Addr;
    use std::time::Duration;

    use manifest::model::Subnet;

    use super::{Found, found, question};

    #[test]
    fn a_question_names_the_subnet_and_no_more_of_it() {
        let address = Ipv4Addr::new(198, 18, 2, 0).into();
        let message = question(
            7,
            "api.shop.test",
            &Subnet {
                address,
                prefix: 24,
            },
        );
        let option = [0, 8, 0, 7, 0, 1, 24, 0, 198, 18, 2];
        assert!(message.ends_with(&option), "{message:?}");
        assert_eq!(message[..2], [0, 7]);
    }

    #[test]
    fn the_first_address_is_found_behind_other_records() {
        let mut message = vec![0, 7, 0x84, 0, 0, 1, 0, 2, 0, 0, 0, 0];
        message.extend(b"\x01a\0\0\x01\0\x01");
        message.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x09\0\x02\xc0\x0c");
        message.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x7f\0\0\x0b");
        let address = Ipv4Addr::new(127, 0, 0, 11);
        let ttl = Duration::from_secs(5);
        assert_eq!(found(&message).expect("an address"), Found { address, ttl });
        for length in 0..message.len() {
            assert!(found(&message[..length]).is_err(), "{length}");
        }
    }
}
