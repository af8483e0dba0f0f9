//! Tests of blocks and of where clients lie.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{BadBlock, Block, Collection};
use crate::query::ClientSubnet;

#[test]
fn blocks_are_read_and_written() {
    for text in ["0.0.0.0/1", "192.0.2.0/24", "2001:db8::/48", "8000::/1"] {
        let block: Block = text.parse().unwrap();
        assert_eq!(block.to_string(), text);
    }
    let written = "2001:0DB8:0000:1200::/40".parse::<Block>();
    assert_eq!(written, Err(BadBlock::Host));
    let written = "2001:0DB8:0012:0000::/48".parse::<Block>().unwrap();
    assert_eq!(written.to_string(), "2001:db8:12::/48");
    for text in [
        "",
        "/",
        "192.0.2.0",
        "192.0.2.0/",
        "192.0.2.0/+8",
        "192.0.2/24",
        "a/1",
    ] {
        assert_eq!(text.parse::<Block>(), Err(BadBlock::Shape), "{text}");
    }
    for text in [
        "192.0.2.0/33",
        "2001:db8::/129",
        "192.0.2.0/256",
        "::ffff:10.0.0.0/104",
    ] {
        assert_eq!(text.parse::<Block>(), Err(BadBlock::Shape), "{text}");
    }
    for (text, max) in [
        ("0.0.0.0/0", 24),
        ("192.0.2.0/25", 24),
        ("::/0", 48),
        ("2001:db8::/49", 48),
    ] {
        assert_eq!(
            text.parse::<Block>(),
            Err(BadBlock::Prefix { max }),
            "{text}"
        );
    }
    assert_eq!("192.0.2.1/24".parse::<Block>(), Err(BadBlock::Host));
}

fn collection(blocks: &[(&str, &str)]) -> Collection {
    let block = |(block, location): &(&str, &str)| (block.parse().unwrap(), (*location).to_owned());
    Collection::new("c".to_owned(), blocks.iter().map(block).collect())
}

fn found(collection: &Collection, subnet: &str) -> (u8, Vec<String>) {
    let (address, source) = subnet.split_once('/').unwrap();
    let client = ClientSubnet {
        address: address.parse().unwrap(),
        source: source.parse().unwrap(),
    };
    let (scope, blocks) = collection.find(client);
    let shown = blocks.map(|(block, location)| format!("{location} {block}"));
    (scope, shown.collect())
}

#[test]
fn the_smallest_block_around_a_client_comes_first() {
    let held = collection(&[
        ("10.0.0.0/8", "wide"),
        ("10.1.0.0/16", "near"),
        ("10.1.2.0/24", "here"),
        ("2001:db8::/32", "six"),
    ]);
    let all = ["here 10.1.2.0/24", "near 10.1.0.0/16", "wide 10.0.0.0/8"];
    assert_eq!(
        found(&held, "10.1.2.0/24"),
        (24, all.map(str::to_owned).to_vec())
    );
    assert_eq!(found(&held, "10.1.2.9/32").1, all);
    // What the resolver tells is wider than the smallest block, which may not hold all of it.
    assert_eq!(found(&held, "10.1.2.0/23").1, all[1..]);
    assert_eq!(found(&held, "10.0.0.0/7").1, [""; 0]);
    // Beside the smallest block, the answer holds only as far as that block is not touched.
    assert_eq!(
        found(&held, "10.1.3.0/24"),
        (24, all[1..].iter().map(|s| (*s).to_owned()).collect())
    );
    assert_eq!(found(&held, "10.1.128.0/24").0, 17);
    assert_eq!(found(&held, "10.2.0.0/24"), (15, vec![all[2].to_owned()]));
    assert_eq!(found(&held, "11.0.0.0/24"), (8, Vec::new()));
    assert_eq!(
        found(&held, "2001:db8:5::/48"),
        (32, vec!["six 2001:db8::/32".to_owned()])
    );
    assert_eq!(found(&held, "2001:db9::/48"), (32, Vec::new()));
}

proptest! {
    /// Every client within the scope of an answer is given the same blocks.
    #[test]
    fn a_result_holds_for_its_whole_scope(
        blocks in prop::collection::vec((0_u32..64, 1_u8..=24), 0..12),
        client in 0_u32..64,
        other: u32,
    ) {
        let blocks = blocks.into_iter().map(|(bits, prefix)| {
            let network = ClientSubnet::new(IpAddr::from((bits << 26 | bits << 8).to_be_bytes()), prefix);
            let block: Block = format!("{}/{prefix}", network.address).parse().unwrap();
            (block, block.to_string())
        });
        let held = Collection::new("c".to_owned(), blocks.collect());
        let address = client << 26 | client << 8;
        let at = |address: u32| ClientSubnet { address: IpAddr::from(address.to_be_bytes()), source: 32 };
        let (scope, here) = held.find(at(address));
        let host = u32::MAX.checked_shr(u32::from(scope)).unwrap_or(0);
        let (_, there) = held.find(at((address & !host) | (other & host)));
        prop_assert_eq!(here.collect::<Vec<_>>(), there.collect::<Vec<_>>());
        // By the definition: every block that holds the client, the longest prefix first.
        let mut plain: Vec<Block> = held.blocks.iter().map(|(block, _)| *block).filter(|block| {
            let network = ClientSubnet::new(IpAddr::from(address.to_be_bytes()), block.prefix);
            network.address == block.address
        }).collect();
        plain.sort_by_key(|block| std::cmp::Reverse(block.prefix));
        plain.dedup();
        let (_, here) = held.find(at(address));
        prop_assert_eq!(here.map(|(block, _)| block).collect::<Vec<_>>(), plain);
    }
}
