//! Tests of sessions: tokens that are believed, and what a client may see.

use proptest::prelude::*;

use super::*;

fn positions(entries: &[(u16, u64)]) -> Positions {
    let entries = entries.iter();
    entries.map(|(id, at)| (RegionId(*id), *at)).collect()
}

fn key() -> SessionKey {
    SessionKey::derive(b"secret")
}

fn session() -> Session {
    Session {
        holder: RegionId(3),
        seen: positions(&[(1, 7), (3, 1 << 40)]),
    }
}

#[test]
fn a_token_is_read_as_it_was_written() {
    for session in [
        session(),
        Session {
            holder: RegionId(u16::MAX),
            seen: (0..64).map(|id| (RegionId(id), u64::MAX)).collect(),
        },
        Session {
            holder: RegionId(1),
            seen: Positions::default(),
        },
    ] {
        let token = session.seal(&key());
        assert!(token.len() <= SESSION_BYTES_MAX, "{}", token.len());
        assert_eq!(Session::open(&token, &key()), Ok(session));
    }
}

proptest! {
    #[test]
    fn a_token_that_was_touched_is_not_believed(at in 0_usize..90, byte in 0x21_u8..0x7f) {
        let token = session().seal(&key());
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let touched = String::from_utf8(bytes).unwrap();
        // Hexadecimal digits are read in either case.
        if !touched.eq_ignore_ascii_case(&token) {
            prop_assert!(Session::open(&touched, &key()).is_err());
        }
    }
}

#[test]
fn a_token_of_another_project_is_none() {
    let token = session().seal(&key());
    let other = SessionKey::derive(b"other");
    assert_eq!(Session::open(&token, &other), Err(BadSession::Forged));
    for text in [
        "",
        ".",
        "v1",
        "v1.3.1-7.00",
        &"1".repeat(SESSION_BYTES_MAX + 1),
    ] {
        assert_eq!(Session::open(text, &key()), Err(BadSession::Malformed));
    }
}

#[test]
fn a_session_goes_on_from_what_was_touched() {
    let here = positions(&[(1, 9), (2, 4)]);
    let after = |before| Session::after(before, RegionId(1), here.clone());
    let fresh = Session {
        holder: RegionId(1),
        seen: here.clone(),
    };
    assert_eq!(after(None), fresh);
    let before = |holder| Session {
        holder: RegionId(holder),
        seen: positions(&[(1, 7), (3, 2)]),
    };
    assert_eq!(after(Some((before(3), State::Met))), fresh);
    // What was not met is asked for again, by whoever had it.
    let unmet = after(Some((before(3), State::Unmet)));
    assert_eq!(unmet.holder, RegionId(3));
    assert_eq!(unmet.seen, positions(&[(1, 9), (2, 4), (3, 2)]));
    // What its own region has not of its own log is lost, and what it has not of others' is not.
    let before = Session {
        holder: RegionId(1),
        seen: positions(&[(1, 12), (2, 3), (3, 2)]),
    };
    let unmet = after(Some((before, State::Unmet)));
    assert_eq!(unmet.holder, RegionId(1));
    assert_eq!(unmet.seen, positions(&[(1, 9), (2, 4), (3, 2)]));
}

#[test]
fn a_token_comes_by_header_or_cookie() {
    let check = |headers: &[(HeaderName, &str)], expect: Option<&str>| {
        let pairs = headers.iter().cloned();
        let pairs = pairs.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value);
        }
        assert_eq!(token(&map), expect);
    };
    check(&[], None);
    check(&[(COOKIE, "a=b; hither-session=x.y; c=d")], Some("x.y"));
    check(&[(COOKIE, "a=b"), (COOKIE, "hither-session=x")], Some("x"));
    check(&[(COOKIE, "other-hither-session=x")], None);
    let both = [(COOKIE, "hither-session=x"), (SESSION_HEADER, "y")];
    check(&both, Some("y"));
}

#[test]
fn a_cookie_is_kept_as_its_domain_is_asked() {
    let cookie = |security| {
        let mut headers = HeaderMap::new();
        set_cookie(&mut headers, "x", security);
        headers[SET_COOKIE].to_str().unwrap().to_owned()
    };
    assert_eq!(
        cookie(Security::Tls),
        "hither-session=x; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"
    );
    assert!(!cookie(Security::Plain).contains("Secure"));
}

#[test]
fn a_response_with_a_cookie_is_for_its_client_alone() {
    for (said, expect) in [
        (&[][..], "private"),
        (&["public, max-age=60"][..], "private, max-age=60"),
        (&["Public", "S-MaxAge=9, no-cache"][..], "private, no-cache"),
        (&["no-store"][..], "private, no-store"),
        (
            &["private=\"x, public\", no-cache=\"a, b\""][..],
            "private, no-cache=\"a, b\"",
        ),
    ] {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        set_cookie(&mut headers, "x", Security::Tls);
        let told: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
        assert_eq!(told, [expect], "{said:?}");
    }
}
