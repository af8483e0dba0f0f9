//! What a newcomer may try by hand while the demo stays up.
//!
//! It runs none of it.

use std::net::SocketAddr;

use manifest::model::{Manifest, Port};

use crate::apply::ACCESS_KEY;
use crate::laptop::Laptop;

/// Prints addresses and commands.
pub(crate) fn tell(manifest: &Manifest, laptop: &Laptop) -> anyhow::Result<()> {
    let names = laptop.names();
    println!("\nThe regions stay up until Ctrl-C. Try, in another shell:\n");
    for name in &names {
        let site = laptop.site(name)?;
        let at = |port| -> SocketAddr { site.socket(port) };
        println!(
            "  {name:<16} AWS APIs http://{}  DNS {}  HTTPS {}",
            at(Port::Api),
            at(Port::Dns),
            at(Port::Https)
        );
    }
    let (Some(domain), Some(first)) = (manifest.domains.first(), names.first()) else {
        return Ok(());
    };
    let site = laptop.site(first)?;
    let ca = laptop.state_dir.join("ca.pem");
    let (address, dns, https) = (site.address, site.ports.dns, site.ports.https);
    let domain = &domain.name;
    println!("\n  dig @{address} -p {dns} {domain} +subnet=198.18.3.0/24     # as from Tokyo");
    println!(
        "  curl --cacert {} --resolve {domain}:{https}:{address} \\\n       https://{domain}:{https}/cart/tokyo-0",
        ca.display()
    );
    println!("  export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={ACCESS_KEY}");
    println!(
        "  export AWS_ENDPOINT_URL=http://{}",
        site.socket(Port::Api)
    );
    for name in &names {
        println!("  aws --region {name} dynamodb scan --table-name carts --max-items 3");
    }
    println!("  aws --region {first} route53 list-health-checks");
    println!("  curl -s http://{}/_hither/status", site.socket(Port::Api));
    Ok(())
}
