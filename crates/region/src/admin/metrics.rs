//! What a node tells of itself, for Prometheus to collect.
//!
//! It is read from the node's status alone and steers nothing.
//! Source: Prometheus documentation, "Exposition formats" and "Metric and label naming".

mod text;

use bytes::Bytes;
use http::{HeaderValue, Response, header};

use base::region::RegionId;
use health_core::judge::RegionState;
use replica::status::{Line, PeerStatus};
use store::port::Store;

use super::Admin;
use text::{Kind, Text};

/// Reads a count of a link.
type Count = fn(&Line) -> u64;

impl<S: Store> Admin<S> {
    /// Answers with all metrics.
    pub(super) fn metrics(&self) -> Response<Bytes> {
        let mut text = Text::default();
        self.health_metrics(&mut text);
        self.race_metrics(&mut text);
        self.link_metrics(&mut text);
        let (batches, groups) = (
            self.sources.commits.batches(),
            self.sources.commits.groups(),
        );
        text.family(
            "hither_store_batches_total",
            Kind::Counter,
            "Batches written to the store.",
        );
        text.sample(&[], batches);
        text.family(
            "hither_store_commits_total",
            Kind::Counter,
            "Commits of the store, each of several batches.",
        );
        text.sample(&[], groups);
        let totals = self.sources.dns.stats.totals();
        text.family(
            "hither_dns_queries_total",
            Kind::Counter,
            "DNS queries, by transport.",
        );
        text.sample(&[("transport", "udp")], totals.udp_queries);
        text.sample(&[("transport", "tcp")], totals.tcp_queries);
        let mut response = Response::new(Bytes::from(text.into_string()));
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    fn health_metrics(&self, text: &mut Text) {
        let region = self.sources.control.project().region.as_str();
        text.family(
            "hither_build_info",
            Kind::Gauge,
            "The release that runs, in its labels.",
        );
        text.sample(&[("region", region), ("version", &self.version)], 1);
        let health = self.sources.health.borrow().clone();
        text.family(
            "hither_quorum",
            Kind::Gauge,
            "Whether enough other regions are heard.",
        );
        text.sample(&[], u64::from(health.quorum.held));
        text.family(
            "hither_region_up",
            Kind::Gauge,
            "Whether a region is held for up from here.",
        );
        for (id, verdict) in &health.regions {
            let is_up = verdict.state == RegionState::Up;
            text.sample(&[("region", &self.name_of(*id))], u64::from(is_up));
        }
    }

    fn race_metrics(&self, text: &mut Text) {
        text.family(
            "hither_conflicts_total",
            Kind::Counter,
            "Writes that lost a race of two regions, as this one saw it.",
        );
        let control = &self.sources.control;
        let races = control.tables().races();
        for (table, view) in control.tables_in(&control.project().region) {
            for (pair, count) in races.get(&view.table.id()).into_iter().flatten() {
                let (winner, loser) = (self.name_of(pair.winner), self.name_of(pair.loser));
                let labels = [("table", &*table), ("winner", &winner), ("loser", &loser)];
                text.sample(&labels, *count);
            }
        }
    }

    fn link_metrics(&self, text: &mut Text) {
        let links = self.sources.links.borrow().clone();
        let lines = |of: &PeerStatus| {
            let lines = [("out", &of.sending.line), ("in", &of.receiving.line)];
            lines.map(|(direction, line)| (direction, line.clone()))
        };
        text.family(
            "hither_link_up",
            Kind::Gauge,
            "Whether a link is up: our log out, theirs in.",
        );
        for (peer, of) in &links.peers {
            for (direction, line) in lines(of) {
                let labels = [("peer", peer.as_str()), ("direction", direction)];
                text.sample(&labels, u64::from(line.is_up()));
            }
        }
        let bytes: [(&str, &str, Count); 2] = [
            (
                "hither_link_sent_bytes_total",
                "Bytes written to a link.",
                |line| line.bytes_out,
            ),
            (
                "hither_link_received_bytes_total",
                "Bytes read from a link.",
                |line| line.bytes_in,
            ),
        ];
        for (name, help, count) in bytes {
            text.family(name, Kind::Counter, help);
            for (peer, of) in &links.peers {
                for (direction, line) in lines(of) {
                    let labels = [("peer", peer.as_str()), ("direction", direction)];
                    text.sample(&labels, count(&line));
                }
            }
        }
        text.family(
            "hither_replication_backlog_records",
            Kind::Gauge,
            "Records of our log that a peer has not applied.",
        );
        for (peer, of) in &links.peers {
            text.sample(&[("peer", peer.as_str())], of.sending.backlog);
        }
        text.family(
            "hither_replication_latency_seconds",
            Kind::Gauge,
            "From commit at the origin to visible here, of the last minute, by percentile.",
        );
        for (peer, of) in &links.peers {
            for (origin, summary) in &of.receiving.latencies {
                let origin: &RegionId = origin;
                let origin = self.name_of(*origin);
                let figures = [
                    ("50", summary.p50),
                    ("99", summary.p99),
                    ("100", summary.max),
                ];
                for (percentile, micros) in figures {
                    let labels = [
                        ("origin", &*origin),
                        ("peer", peer.as_str()),
                        ("percentile", percentile),
                    ];
                    text.sample_micros(&labels, micros);
                }
            }
        }
    }
}
