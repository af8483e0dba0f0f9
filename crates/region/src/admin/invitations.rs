//! The call that invites a machine to serve a region: it makes a join token.
//!
//! It lets nobody in: whoever comes with the token on the link port is judged there, by
//! `replica::joining`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;

use replica::joining::token::Token;
use replica::limits::INVITATION_LIFE_MAX;
use store::port::Store;

use super::{Admin, answer};
use crate::identity;

impl<S: Store> Admin<S> {
    /// Makes a token by which whoever has it is given the project's key, once, to serve `region`;
    /// it counts for `seconds`, a quarter of an hour where that is not said. Callers have the key
    /// themselves in every mode, since the key is what the token is worth.
    pub(super) fn invite<B>(
        &self,
        request: &Request<B>,
        query: &BTreeMap<String, String>,
    ) -> Response<Bytes> {
        if !self.is_proven(request) {
            let text = "a token is worth the project's key: prove that you have it: \
                        `--project-key FILE` of `hither`";
            let error = json!({"message": text, "code": "ProofRequired"});
            return answer(StatusCode::FORBIDDEN, &error);
        }
        let refused = |text: String| answer(StatusCode::BAD_REQUEST, &json!({"message": text}));
        let project = self.sources.control.project();
        let name = query.get("region").map(String::as_str).unwrap_or_default();
        let guest = project.regions.iter().find(|one| one.name.as_str() == name);
        let Some(guest) = guest.map(|one| one.name.clone()) else {
            let own = &project.region;
            return refused(format!(
                "the manifest that {own} was started with has no region {name:?}: add it, and \
                 start {own} again"
            ));
        };
        if guest == project.region {
            return refused(format!("{guest} is served here: invite another region"));
        }
        let Some(life) = life(query.get("seconds")) else {
            let most = INVITATION_LIFE_MAX.as_secs();
            return refused(format!("seconds is a whole number from 1 to {most}"));
        };
        let authority = match identity::pin(&project.name, &project.key) {
            Ok(authority) => authority,
            Err(error) => {
                let error = json!({"message": error.to_string()});
                return answer(StatusCode::INTERNAL_SERVER_ERROR, &error);
            }
        };
        let token = Token {
            authority,
            secret: self.secret(),
            host: project.region.clone(),
            guest: guest.clone(),
            address: project.own().link.to_string(),
        };
        let (links, now) = (&self.sources.invitations, self.clock.now());
        links.invite(now, guest.clone(), life, token.secret);
        tracing::info!(region = %guest, seconds = life.as_secs(), "a machine is invited");
        let told = json!({
            "region": guest.as_str(),
            "by": token.host.as_str(),
            "address": token.address,
            "seconds": life.as_secs(),
            "token": token.to_string(),
        });
        answer(StatusCode::OK, &told)
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        for chunk in secret.as_chunks_mut::<8>().0 {
            *chunk = self.entropy.random().to_be_bytes();
        }
        secret
    }
}

/// Reads how long a token is to count; nothing where that is longer than any does.
fn life(seconds: Option<&String>) -> Option<Duration> {
    let Some(seconds) = seconds else {
        return Some(INVITATION_LIFE_MAX);
    };
    let life = Duration::from_secs(seconds.parse().ok()?);
    (!life.is_zero() && life <= INVITATION_LIFE_MAX).then_some(life)
}
