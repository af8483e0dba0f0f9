//! What a newcomer may try by hand while the demo stays up.
//!
//! It runs and prints none of it.

use std::net::SocketAddr;

use manifest::model::{Manifest, Port};

use crate::apply::ACCESS_KEY;
use crate::laptop::Laptop;

/// Returns addresses and commands, as they are shown.
pub(crate) fn lines(manifest: &Manifest, laptop: &Laptop) -> anyhow::Result<Vec<String>> {
    let names = laptop.names();
    let mut lines = vec![
        String::new(),
        "The regions stay up until Ctrl-C. Try, in another shell:".to_owned(),
        String::new(),
    ];
    for name in &names {
        let site = laptop.site(name)?;
        let at = |port| -> SocketAddr { site.socket(port) };
        lines.push(format!(
            "  {name:<16} AWS APIs http://{}  DNS {}  HTTPS {}",
            at(Port::Api),
            at(Port::Dns),
            at(Port::Https)
        ));
    }
    let (Some(domain), Some(first)) = (manifest.domains.first(), names.first()) else {
        return Ok(lines);
    };
    let site = laptop.site(first)?;
    let ca = laptop.state_dir.join("ca.pem");
    let (address, dns, https) = (site.address, site.ports.dns, site.ports.https);
    let (domain, ca, api) = (&domain.name, ca.display(), site.socket(Port::Api));
    lines.extend([
        String::new(),
        format!("  dig @{address} -p {dns} {domain} +subnet=198.18.3.0/24     # as from Tokyo"),
        format!("  curl --cacert {ca} --resolve {domain}:{https}:{address} \\"),
        format!("       https://{domain}:{https}/cart/tokyo-0"),
        format!("  export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={ACCESS_KEY}"),
        format!("  export AWS_ENDPOINT_URL=http://{api}"),
    ]);
    for name in &names {
        let scan = "dynamodb scan --table-name carts --max-items 3";
        lines.push(format!("  aws --region {name} {scan}"));
    }
    lines.push(format!("  aws --region {first} route53 list-health-checks"));
    lines.push(format!("  curl -s http://{api}/_hither/status"));
    Ok(lines)
}
