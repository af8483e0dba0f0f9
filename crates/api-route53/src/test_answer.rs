//! `TestDNSAnswer`: what DNS would answer, by the same code, and why.
//!
//! Source: Route 53 API reference, `TestDNSAnswer`.

use std::net::{IpAddr, Ipv4Addr};

use api_protocol::fault::Fault;
use dns_core::answer::{self, Question};
use dns_core::internal;
use dns_core::name::Name;
use dns_core::query::ClientSubnet;
use dns_core::record_type::RecordType;
use dns_core::reply::Rcode;
use dns_core::response::{self, Record};
use http::HeaderName;
use store::port::Store;

use crate::facade::{Call, Reply, Route53};
use crate::faults::invalid_input;
use crate::limits::REASONS_CHARACTERS_MAX;
use crate::operation::bare;

/// The header that carries the reasons, for which Route 53's answer has no member.
const BECAUSE: HeaderName = HeaderName::from_static("x-hither-because");

/// Bits of a client's address that resolvers tell where nothing else is asked for: IPv4, IPv6.
/// Source: Route 53 API reference, `EDNS0ClientSubnetMask`; RFC 7871 §11.1 for IPv6.
const SUBNET_BITS: (u8, u8) = (24, 64);

impl<S: Store> Route53<S> {
    pub(crate) fn test_answer(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let parameter = |name: &str| call.parameters.first(name);
        let id = bare(parameter("hostedzoneid").unwrap_or_default());
        let zone = self.zone_of(call.caller, id)?;
        let question = read_question(&parameter)?;
        let apex = Name::parse(&zone.name).map_err(|error| Fault::ourselves(error.to_string()))?;
        if !question.name.is_within(&apex) {
            let message = format!("{} does not lie within {apex}", question.name);
            return Err(invalid_input(message));
        }
        let view = self.live.views.borrow().clone();
        let answer = answer::answer(&view, &question, self.control.entropy().random());
        let response = response::parse(&answer.response)
            .ok_or_else(|| Fault::ourselves("the answer cannot be read back"))?;
        let rcode = Rcode::ALL
            .iter()
            .find(|rcode| rcode.code() == response.rcode);
        let owned = |record: &&Record| record.name == question.name;
        let data = response
            .answers
            .iter()
            .filter(owned)
            .filter_map(Record::text);
        let reply = Reply::document("TestDNSAnswerResponse", |xml| {
            let server = internal::name_server(&self.control.project().region);
            xml.leaf("Nameserver", &server);
            xml.leaf("RecordName", &question.name.to_string());
            xml.leaf("RecordType", question.record_type.as_str());
            xml.within("RecordData", |xml| {
                data.for_each(|text| xml.leaf("RecordDataEntry", &text));
            });
            xml.leaf(
                "ResponseCode",
                rcode.map_or("SERVFAIL", |rcode| rcode.as_str()),
            );
            xml.leaf("Protocol", "UDP");
        });
        let steps: Vec<String> = answer.because.0.iter().map(ToString::to_string).collect();
        let reasons: String = steps
            .join("; ")
            .chars()
            .take(REASONS_CHARACTERS_MAX)
            .collect();
        Ok(reply.with_header(BECAUSE, &reasons))
    }
}

fn read_question<'c>(parameter: &dyn Fn(&str) -> Option<&'c str>) -> Result<Question, Fault> {
    let text = parameter("recordname").unwrap_or_default();
    let name = Name::parse(text)
        .map_err(|error| invalid_input(format!("Invalid name {text:?}: {error}.")))?;
    let text = parameter("recordtype").unwrap_or_default();
    let record_type = RecordType::parse(text)
        .ok_or_else(|| invalid_input(format!("{text:?} is no type of record.")))?;
    let address = |name: &str| {
        let text = parameter(name).filter(|text| !text.is_empty());
        let parse = |text: &str| {
            text.parse::<IpAddr>()
                .map_err(|_| invalid_input(format!("{text:?} is no IP address.")))
        };
        text.map(parse).transpose()
    };
    // An address that no network holds: the region answers for itself.
    let resolver = address("resolverip")?.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let subnet = match address("edns0clientsubnetip")? {
        Some(address) => Some(read_subnet(address, parameter("edns0clientsubnetmask"))?),
        None => None,
    };
    Ok(Question {
        name,
        record_type,
        resolver,
        subnet,
    })
}

fn read_subnet(address: IpAddr, mask: Option<&str>) -> Result<ClientSubnet, Fault> {
    let address = address.to_canonical();
    let (bits, default) = match address {
        IpAddr::V4(_) => (32, SUBNET_BITS.0),
        IpAddr::V6(_) => (128, SUBNET_BITS.1),
    };
    let source = match mask.filter(|mask| !mask.is_empty()) {
        None => default,
        Some(mask) => mask
            .parse()
            .ok()
            .filter(|mask| *mask <= bits)
            .ok_or_else(|| invalid_input(format!("{mask:?} is no mask of 0 to {bits} bits.")))?,
    };
    Ok(ClientSubnet::new(address, source))
}
