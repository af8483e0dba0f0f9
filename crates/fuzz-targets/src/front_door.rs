//! The door of the API endpoint: what comes in, as whom, and what is answered before any facade.
//!
//! It calls no facade. Source: IAM user guide, "AWS Signature Version 4".

use std::sync::{Arc, LazyLock};

use api_protocol::caller::Authority;
use api_protocol::dispatch::{Regions, Strangers};
use api_protocol::fault::Fault;
use api_protocol::front::{self, Admission, Authentication, Call, Front};
use api_protocol::hosts::Hosts;
use api_protocol::sigv4::Verifier;
use base::limits::API_BODY_BYTES_MAX;
use base::region::RegionName;
use bytes::Bytes;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{Request, Response};

use crate::sigv4_request::{self, Keys, NOW};

/// Takes a request: method and target in the first line, headers, an empty line, the body.
pub fn run(data: &[u8]) {
    let Some(request) = sigv4_request::request(data) else {
        return;
    };
    if let Some(call) = admitted(&DEVELOPMENT, &request) {
        let foreign = Hosts::default().foreign(&request);
        assert_eq!(foreign, None, "a page of another site calls nothing");
        let authority = &call.caller.authority;
        assert!(matches!(authority, Authority::Unchecked), "nobody signed");
    }
    if let Some(call) = admitted(&SIGNED, &request) {
        let verified = VERIFIER.verify(NOW, &request);
        let verified = verified.expect("nobody comes in whose signature is wrong");
        assert_eq!(call.caller.access_key, verified.access_key);
        let authority = &call.caller.authority;
        assert!(
            matches!(authority, Authority::Checked(_)),
            "somebody signed"
        );
    }
}

/// Lets a request in, or checks the answer that it gets instead.
fn admitted(front: &Front, request: &Request<Bytes>) -> Option<Box<Call>> {
    let target = front.target(request);
    let fault = Fault::ourselves("a test");
    let refused = front.refuse(target.service.clone(), request.headers(), &fault);
    assert_eq!(refused.status().as_u16(), 500, "a fault of ours is told so");
    match front.admit(target, None, request.clone()) {
        Admission::Call(call) => {
            check_body(&call.request, request);
            check(&front::unknown_service(&call.caller, &call.request));
            Some(call)
        }
        Admission::Answer(answer) => {
            check(&answer);
            None
        }
    }
}

/// Checks an answer of the door's own: it blames nobody but who asked.
fn check(answer: &Response<Bytes>) {
    assert!(!answer.status().is_server_error(), "{answer:?}");
    if let Some(length) = answer.headers().get(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|length| length.parse().ok());
        assert_eq!(length, Some(answer.body().len()), "{answer:?}");
    }
}

/// Checks that a body is handed on as it is, or unpacked within its bound.
fn check_body(handed: &Request<Bytes>, sent: &Request<Bytes>) {
    assert!(handed.body().len() <= API_BODY_BYTES_MAX.as_len());
    let packed = |request: &Request<Bytes>| {
        let coding = request.headers().get(CONTENT_ENCODING);
        coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"))
    };
    assert!(!packed(handed), "it is unpacked");
    if !packed(sent) {
        assert_eq!(handed.body(), sent.body(), "it is handed on as it is");
    }
}

/// A clock that stands still, and chance that never varies: inputs are to be run again.
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::default()
    }

    fn wall(&self) -> WallTime {
        NOW
    }
}

impl Entropy for Still {
    fn random(&self) -> u64 {
        7
    }
}

fn front(authentication: Authentication, strangers: Strangers) -> Front {
    let own = RegionName::parse("us-east-1").expect("a region");
    let regions = Regions {
        all: [own.clone()].into(),
        own,
        strangers,
    };
    Front::new(regions, authentication, Arc::new(Still), &Still)
}

/// A door that asks nobody who they are.
pub(crate) static DEVELOPMENT: LazyLock<Front> = LazyLock::new(|| {
    let authentication = Authentication::Development(Hosts::default());
    front(authentication, Strangers::Own)
});

static SIGNED: LazyLock<Front> = LazyLock::new(|| {
    let authentication = Authentication::Signed(Verifier::new(Arc::new(Keys)));
    front(authentication, Strangers::Refuse)
});

/// Beside the door's own, whose cache it does not share.
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(Arc::new(Keys)));
