//! Processor time per DNS answer beside Knot, under dnsperf.
//!
//! Both serve the same zone and are asked the same questions at the same rate. What counts is
//! time spent, not answers reached: dnsperf runs on the same processors.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bench::process::{Process, free_port};
use crate::bench::region::{self, Binary};
use crate::bench::report::Figure;
use crate::bench::{debian, folder, runtime};
use crate::run;

pub(super) fn measure(binary: &Binary) -> Result<Vec<Figure>> {
    let folder = folder("dns")?;
    let names: Vec<String> = (0..NAMES).map(|at| format!("n{at}.bench.test.")).collect();
    let mut plain = String::new();
    for name in &names {
        _ = writeln!(plain, "{name} A");
    }
    let questions = folder.join("plain.txt");
    std::fs::write(&questions, plain)?;
    let routed = folder.join("routed.txt");
    std::fs::write(&routed, "routed.bench.test. A\n")?;

    let ours = region::alone(binary, &folder)?;
    runtime()?.block_on(make_zone(ours.ports.api(), &names))?;
    let answered = ours.ports.dns();
    let plain_us = micros_per_answer(&ours.process, answered, &questions).context("ours")?;
    let routed_us = micros_per_answer(&ours.process, answered, &routed).context("ours, routed")?;
    drop(ours);
    let mut plain = Figure::new("processor time per DNS answer", plain_us, "µs");
    match knot(&folder, &names, &questions) {
        Ok(theirs) => plain = plain.beside("Knot", theirs),
        Err(error) => eprintln!("no Knot: {error:#}"),
    }
    let routed = Figure::new("processor time per latency-routed answer", routed_us, "µs");
    Ok(vec![plain, routed])
}

/// Makes the zone through the Route 53 API, as a user does.
async fn make_zone(api: SocketAddr, names: &[String]) -> Result<()> {
    let zone = "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
        <Name>bench.test.</Name><CallerReference>bench</CallerReference></CreateHostedZoneRequest>";
    let path = "/2013-04-01/hostedzone";
    let created = region::rest(api, "route53", ("POST", path), zone).await?;
    let location = created.head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("location")
            .then(|| value.trim().to_owned())
    });
    let location = location.context("a zone has a location")?;
    let id = location.rsplit('/').next().unwrap_or_default().to_owned();
    let path = format!("/2013-04-01/hostedzone/{id}/rrset");
    for some in names.chunks(50) {
        let mut changes = String::new();
        for name in some {
            changes.push_str(&change(name, ""));
        }
        region::rest(api, "route53", ("POST", &path), &batch(&changes)).await?;
    }
    let latency = format!(
        "<SetIdentifier>one</SetIdentifier><Region>{}</Region>",
        region::REGION
    );
    let routed = batch(&change("routed.bench.test.", &latency));
    region::rest(api, "route53", ("POST", &path), &routed).await?;
    Ok(())
}

fn change(name: &str, policy: &str) -> String {
    format!(
        "<Change><Action>CREATE</Action><ResourceRecordSet><Name>{name}</Name><Type>A</Type>\
         {policy}<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>\
         </ResourceRecord></ResourceRecords></ResourceRecordSet></Change>"
    )
}

fn batch(changes: &str) -> String {
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes>{changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

fn knot(folder: &Path, names: &[String], questions: &Path) -> Result<f64> {
    let port = free_port(Ipv4Addr::LOCALHOST.into())?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut zone = "$ORIGIN bench.test.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n\
                    @ NS ns\nns A 192.0.2.2\n"
        .to_owned();
    for name in names {
        _ = writeln!(zone, "{name} A 192.0.2.1");
    }
    std::fs::write(folder.join("bench.test.zone"), zone)?;
    let home = folder.display();
    let configuration = format!(
        "server:\n  listen: 127.0.0.1@{port}\n  rundir: {home}\n  udp-workers: 1\n  \
         background-workers: 1\ndatabase:\n  storage: {home}/knot\nzone:\n  \
         - domain: bench.test\n    storage: {home}\n    file: bench.test.zone\n"
    );
    std::fs::create_dir_all(folder.join("knot"))?;
    let path = folder.join("knot.conf");
    std::fs::write(&path, configuration)?;
    let mut command = debian::command("knotd", &["knot"])?;
    command.arg("-c").arg(&path);
    let mut process = Process::start(&mut command, &folder.join("knot.log"))?;
    process.wait_for(Duration::from_secs(10), || answers(address))?;
    micros_per_answer(&process, address, questions)
}

/// Returns whether a name server answers: any datagram back will do.
fn answers(address: SocketAddr) -> bool {
    let asked = || {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        // One question for the SOA record of bench.test.
        let question = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x05bench\x04test\0\0\x06\0\x01";
        socket.send_to(question, address)?;
        socket.recv(&mut [0; 512])
    };
    asked().is_ok()
}

/// Asks for five seconds at a fixed rate; returns processor time over answers.
fn micros_per_answer(process: &Process, address: SocketAddr, questions: &Path) -> Result<f64> {
    let ask = |seconds: &str| -> Result<f64> {
        let mut command = debian::command("dnsperf", &["dnsperf"])?;
        command
            .args([
                "-s",
                &address.ip().to_string(),
                "-p",
                &address.port().to_string(),
            ])
            .args(["-l", seconds, "-c", "8", "-Q", RATE, "-d"])
            .arg(questions);
        let printed = run::read(&mut command)?;
        let line = printed
            .lines()
            .find(|line| line.contains("Queries completed:"));
        let count = line.and_then(|line| line.split_whitespace().nth(2));
        let good = printed.lines().any(|line| line.contains("NOERROR"));
        anyhow::ensure!(good, "dnsperf got no answer without error:\n{printed}");
        count
            .context("dnsperf counts")?
            .parse()
            .context("dnsperf counts")
    };
    ask("1")?;
    let before = process.cpu()?;
    let answers = ask("5")?;
    let spent = process.cpu()?.saturating_sub(before);
    anyhow::ensure!(answers >= 1_000.0, "only {answers} answers");
    Ok(spent.as_secs_f64() * 1e6 / answers)
}

/// Names in the zone.
const NAMES: usize = 200;

/// Questions per second: far below what either server can answer.
const RATE: &str = "20000";
