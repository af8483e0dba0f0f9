//! Which documents are refused, with every mistake and its place.
//!
//! Source: IAM user guide, "Grammar of the IAM JSON policy language".

use iam::context::Context;
use iam::decision::{Policies, decide};
use iam::keys::{OF_CALLS, OF_DYNAMODB, OF_PRINCIPALS, OF_SOME};
use iam::kind::Kind;
use iam::limits::{DEPTH_MAX, MANAGED_CHARS_MAX, MISTAKES_MAX, RESOURCE_CHARS_MAX, TEXT_BYTES_MAX};
use iam::policy::Policy;
use iam::request::Request;
use proptest::prelude::*;
use std::sync::Arc;

use crate::world::{account, anna};

/// Returns the mistakes of a document, one a line.
fn mistakes(text: &str, kind: Kind) -> String {
    match Policy::compile("policy", text, kind) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.to_string(),
    }
}

/// Checks the mistakes of a document with one statement, whose place is left out.
#[track_caller]
fn check(statement: &str, expect: &str) {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
    let found = mistakes(&text, Kind::Managed);
    assert_eq!(
        found.replace("Statement.", "").replace("Statement: ", ""),
        expect,
        "{text}"
    );
}

#[test]
fn documents_that_are_taken() {
    for statement in [
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
        r#"{"Effect":"Deny","NotAction":["a:*","b:C"],"NotResource":["arn:aws:s3:::x"]}"#,
        r#"[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},
            {"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}]"#,
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}"#,
        r#"{"Effect":"Allow","Action":"*","Resource":"*",
            "Condition":{"Bool":{"aws:SecureTransport":true},"NumericEquals":{"x:n":[1,"2.5"]},
                         "StringLike":{"www.example.com:id":"${www.example.com:id}"}}}"#,
        r#"{"Effect":"Allow","Action":"dynamodb:Get?tem","Resource":"arn:aws-cn:s3:::a:b:*"}"#,
    ] {
        check(statement, "");
    }
    let resource = r#"{"Id":"x","Statement":{"Sid":"a b","Effect":"Allow","Principal":"*",
        "Action":"*","Resource":"*"}}"#;
    assert_eq!(mistakes(resource, Kind::Resource), "");
}

#[test]
fn each_mistake_at_its_place() {
    check(
        "1",
        "Statement: Syntax errors in policy. (wanted an object)"
            .replace("Statement: ", "")
            .as_str(),
    );
    check("[]", "Missing required field Statement cannot be empty!");
    check(
        r#"{"Action":"*","Resource":"*"}"#,
        "Missing required field Effect",
    );
    check(
        r#"{"Effect":"Allow","Resource":"*"}"#,
        "Policy statement must contain actions.",
    );
    check(
        r#"{"Effect":"Allow","Action":"*"}"#,
        "Policy statement must contain resources.",
    );
    check(
        r#"{"Effect":"permit","Action":"*","Resource":"*"}"#,
        "Effect: Invalid effect: permit",
    );
    check(
        r#"{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}"#,
        "Syntax errors in policy. (Action and NotAction exclude each other)",
    );
    check(
        r#"{"Effect":"Allow","Action":"*","Action":"*","Resource":"*"}"#,
        "Syntax errors in policy. (element \"Action\" comes twice)",
    );
    check(
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Resources":"*"}"#,
        "Syntax errors in policy. (unknown element \"Resources\")",
    );
    check(
        r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#,
        "Action: Policy statement must contain actions.",
    );
    check(
        r#"{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}"#,
        "Sid: Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
         regular expression [0-9A-Za-z]*",
    );
    check(
        r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#,
        "Policy document should not specify a principal.",
    );
    let actions = r#"{"Effect":"Allow","Action":["GetItem","a:b:c","d*:Get","e:","f: g"],
        "Resource":"*"}"#;
    check(
        actions,
        "Action[0]: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.\n\
         Action[1]: Actions/Condition can contain only one colon.\n\
         Action[2]: Vendor d* is not valid\n\
         Action[3]: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.\n\
         Action[4]: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    );
    check(
        r#"{"Effect":"Allow","Action":"*","Resource":["carts",1]}"#,
        "Resource[0]: Resource carts must be in ARN format or \"*\".\n\
         Resource[1]: Syntax errors in policy. (wanted a string)",
    );
}

#[test]
fn each_mistake_of_a_condition_at_its_place() {
    for (condition, expect) in [
        (
            "[]",
            "Condition: Syntax errors in policy. (wanted an object)",
        ),
        (
            r#"{"StringMatches":{"x:k":"a"}}"#,
            "Condition.StringMatches: Invalid Condition type : StringMatches.",
        ),
        (
            r#"{"StringLike":{"k":"a"}}"#,
            "Condition.StringLike[\"k\"]: Actions/Conditions must be prefaced by a vendor, e.g., \
             iam, sdb, ec2, etc.",
        ),
        (
            r#"{"NumericEquals":{"x:k":["1","one"]}}"#,
            "Condition.NumericEquals[\"x:k\"][1]: Invalid value \"one\" for condition operator \
             NumericEquals",
        ),
        (
            r#"{"DateLessThan":{"x:k":"soon"}}"#,
            "Condition.DateLessThan[\"x:k\"]: Invalid value \"soon\" for condition operator \
             DateLessThan",
        ),
        (
            r#"{"IpAddress":{"x:k":"300.1.1.1"}}"#,
            "Condition.IpAddress[\"x:k\"]: Invalid value \"300.1.1.1\" for condition operator \
             IpAddress",
        ),
        (
            r#"{"ArnLike":{"x:k":"topic"}}"#,
            "Condition.ArnLike[\"x:k\"]: Invalid value \"topic\" for condition operator ArnLike",
        ),
        (
            r#"{"Bool":{"x:k":"yes"}}"#,
            "Condition.Bool[\"x:k\"]: Invalid value \"yes\" for condition operator Bool",
        ),
        (
            r#"{"BinaryEquals":{"x:k":"!"}}"#,
            "Condition.BinaryEquals[\"x:k\"]: Invalid value \"!\" for condition operator \
             BinaryEquals",
        ),
        (
            r#"{"StringLike":{"x:k":"${aws:username"}}"#,
            "Condition.StringLike[\"x:k\"]: Policy variable is malformed: ${aws:username",
        ),
        (
            r#"{"StringLike":{"x:k":{"a":"b"}}}"#,
            "Condition.StringLike[\"x:k\"]: Syntax errors in policy. (wanted a string, a number \
             or a boolean)",
        ),
        (
            r#"{"StringLike":{"x:k":"a","X:K":"b"}}"#,
            "Condition.StringLike: Syntax errors in policy. (element \"x:k\" comes twice)",
        ),
        (
            r#"{"StringLike":{"x:k":[]}}"#,
            "Condition.StringLike[\"x:k\"]: Missing required field Condition cannot be empty!",
        ),
    ] {
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
        check(&statement, expect);
    }
}

#[test]
fn mistakes_of_whole_documents() {
    let statement = r#"{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (text, expect) in [
        (
            "[]".to_owned(),
            "Syntax errors in policy. (wanted an object)",
        ),
        ("{}".to_owned(), "Missing required field Statement"),
        (
            "{".to_owned(),
            "Syntax errors in policy. (line 1, column 1)",
        ),
        (
            format!(r#"{{"Version":"2012-10-18","Statement":{statement}}}"#),
            "Version: Policy document must be version 2012-10-17 or greater.",
        ),
        (
            format!(r#"{{"Statement":[{statement},{statement}]}}"#),
            "Statement: Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            format!(r#"{{"Statement":{statement},"Author":"x"}}"#),
            "Syntax errors in policy. (unknown element \"Author\")",
        ),
        (
            format!(r#"{{"Id":1,"Statement":[{statement},2]}}"#),
            "Id: Syntax errors in policy. (wanted a string)\n\
             Statement[1]: Syntax errors in policy. (wanted an object)",
        ),
        (
            format!(r#"{{"Id":"日","Statement":{statement}}}"#),
            "The specified value for policyDocument is invalid: U+65E5 is not allowed in it",
        ),
        (
            "[".repeat(DEPTH_MAX + 1),
            "Syntax errors in policy. (it nests too deep)",
        ),
    ] {
        assert_eq!(mistakes(&text, Kind::Managed), expect, "{text}");
    }
}

#[test]
fn mistakes_of_principals() {
    for (principal, expect) in [
        (
            r#""Principal":"anna""#,
            "Statement.Principal: Invalid principal in policy: \"anna\"",
        ),
        (
            r#""Principal":{}"#,
            "Statement.Principal: Missing required field Principal cannot be empty!",
        ),
        (
            r#""Principal":{"AWS":["arn:aws:iam::111122223333:user/*","anna","arn:aws:s3:::x"]}"#,
            "Statement.Principal.AWS[0]: Invalid principal in policy: \
             \"arn:aws:iam::111122223333:user/*\"\n\
             Statement.Principal.AWS[1]: Invalid principal in policy: \"anna\"\n\
             Statement.Principal.AWS[2]: Invalid principal in policy: \"arn:aws:s3:::x\"",
        ),
        (
            r#""Principal":{"Service":"lambda"}"#,
            "Statement.Principal.Service: Invalid principal in policy: \"lambda\"",
        ),
        (
            r#""Principal":{"Aws":"*"}"#,
            "Statement.Principal: Syntax errors in policy. (unknown element \"Aws\")",
        ),
        (
            r#""Principal":"*","NotPrincipal":"*""#,
            "Statement: Syntax errors in policy. (Principal and NotPrincipal exclude each other)",
        ),
        (
            r#""NotPrincipal":{"AWS":"111122223333"}"#,
            "Statement: Allow with NotPrincipal is not supported.",
        ),
        (
            r#""Sid":"x""#,
            "Statement: Missing required field Principal",
        ),
    ] {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"*",{principal}}}}}"#
        );
        assert_eq!(mistakes(&text, Kind::Resource), expect);
    }
}

/// AWS's answers to whole documents, as compatible servers have recorded them.
#[test]
fn one_message_is_awss() {
    let message = |text: &str| {
        let found = Policy::compile("policy", text, Kind::Managed);
        found.expect_err("a refusal").message()
    };
    let statement =
        |what: &str| message(&format!(r#"{{"Version":"2012-10-17","Statement":{what}}}"#));
    assert_eq!(message("This is no JSON"), "Syntax errors in policy.");
    assert_eq!(
        statement(r#"{"Action":"GetItem","Resource":"*"}"#),
        "Syntax errors in policy."
    );
    assert_eq!(
        statement(r#"{"Effect":"Allow","Resource":"*"}"#),
        "Policy statement must contain actions."
    );
    assert_eq!(
        statement(r#"{"Effect":"Allow","Action":"invalid","Resource":"*"}"#),
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    );
    assert_eq!(
        statement(r#"{"Effect":"Allow","Action":"s3:s3:ListBucket","Resource":"*"}"#),
        "Actions/Condition can contain only one colon."
    );
    assert_eq!(
        statement(r#"{"Effect":"Allow","Action":"s3:List","Resource":"arn:error:s3:::bucket"}"#),
        "Partition \"error\" is not valid for resource \"arn:error:s3:::bucket\"."
    );
    assert_eq!(
        statement(r#"{"Effect":"Allow","Action":"s3:List","Resource":"arn:aws:s3*:::bucket"}"#),
        "Resource vendor must be fully qualified and cannot contain regexes."
    );
}

#[test]
fn lengths_are_counted_as_aws_counts_them() {
    let sized = |ids: usize, blanks: usize| {
        let (id, blank) = ("a".repeat(ids), " ".repeat(blanks));
        format!(
            r#"{{"Id":"{id}",{blank}"Statement":{{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}}}"#
        )
    };
    let bare = sized(0, 0).len();
    let fits = |text: &str, kind| !mistakes(text, kind).contains("Cannot exceed quota");
    let most = MANAGED_CHARS_MAX - bare;
    assert!(
        fits(&sized(most, 50_000), Kind::Managed),
        "white space is not counted"
    );
    assert!(!fits(&sized(most + 1, 0), Kind::Managed));
    assert!(fits(&sized(most + 1, 0), Kind::Resource));
    assert!(fits(&sized(0, RESOURCE_CHARS_MAX - bare), Kind::Resource));
    assert!(!fits(
        &sized(0, RESOURCE_CHARS_MAX - bare + 1),
        Kind::Resource
    ));
    assert!(
        !fits(&sized(0, TEXT_BYTES_MAX), Kind::Managed),
        "nobody sends so many blanks"
    );
}

#[test]
fn a_flood_of_mistakes_is_cut() {
    let actions = vec!["\"x\""; 500].join(",");
    let text =
        format!(r#"{{"Statement":{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}}}"#);
    let found = Policy::compile("policy", &text, Kind::Managed).expect_err("mistakes");
    assert_eq!(found.as_slice().len(), MISTAKES_MAX);
}

/// Returns what a stored identity policy decides, beside one that allows everything.
fn stored(text: &str, action: &str) -> bool {
    let all = r#"{"Statement":{"Effect":"Allow","Action":"good:*","Resource":"*"}}"#;
    let identity = [
        Arc::new(Policy::compile("all", all, Kind::Managed).expect("a policy")),
        Arc::new(Policy::stored("stored", text, Kind::Managed)),
    ];
    let policies = Policies {
        identity: &identity,
        ..Policies::default()
    };
    let who = anna();
    let mut context = Context::new();
    who.describe(&mut context);
    let request = Request {
        principal: &who,
        action,
        resources: &["*"],
        owner: account(),
        context: &context,
    };
    decide(&policies, &request).is_allowed()
}

#[test]
fn what_was_stored_and_is_not_understood_is_closed() {
    let good = r#"{"Statement":[{"Effect":"Allow","Action":"new:*","Resource":"*"}]}"#;
    assert!(stored(good, "good:A") && stored(good, "new:A") && !stored(good, "other:A"));
    // A statement with something new allows nothing, and denies what it could.
    for newer in [
        r#"{"Statement":[{"Effect":"Allow","Action":"new:*","Resource":"*","When":"x"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"new:*","Resource":"*"}],"Scope":"x"}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"new:*","Resource":"*",
            "Condition":{"StringResembles":{"x:k":"a"}}}]}"#,
    ] {
        assert!(stored(newer, "good:A"), "{newer}");
        assert!(!stored(newer, "new:A"), "{newer}");
        let denies = newer.replace("Allow", "Deny").replace("new:*", "good:B*");
        assert!(stored(&denies, "good:A"), "{denies}");
        assert!(!stored(&denies, "good:Bad"), "{denies}");
    }
    // What is known of a denial may still show that it does not apply: this one is not anna's.
    let elsewhere = r#"{"Statement":[{"Effect":"Deny","Action":"good:*","Resource":"*",
        "Condition":{"StringResembles":{"x:k":"a"},"StringEquals":{"aws:username":"bert"}}}]}"#;
    assert!(stored(elsewhere, "good:A"));
    let unknown = elsewhere.replace("aws:username", "x:none");
    assert!(!stored(&unknown, "good:A"), "nothing is known of x:none");
    // What cannot be read at all may have denied anything.
    for broken in [
        "",
        "{",
        r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#,
    ] {
        assert!(!stored(broken, "good:A"), "{broken}");
    }
}

#[test]
fn a_policy_says_which_keys_it_looks_at() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:s3:::${aws:username}/*","Condition":{
        "ForAllValues:StringLike":{"dynamodb:LeadingKeys":"${aws:PrincipalTag/Team}*"},
        "ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:${aws:userid}"}}}}"#;
    let policy = Policy::compile("policy", text, Kind::Managed).expect("a policy");
    for key in [
        "dynamodb:leadingkeys",
        "dynamodb:LeadingKeys",
        "aws:username",
        "aws:principaltag/team",
        "aws:sourcearn",
        "aws:userid",
    ] {
        assert!(policy.mentions(key), "{key}");
    }
    assert!(!policy.mentions("dynamodb:attributes"));
}

#[test]
fn every_key_that_is_known_is_documented() {
    let page = include_str!("../../../../docs/reference/policies.md").to_lowercase();
    for key in [OF_PRINCIPALS, OF_CALLS, OF_DYNAMODB, OF_SOME].concat() {
        let written = match key.strip_suffix('/') {
            Some(prefix) => format!("`{prefix}/…`"),
            None => format!("`{key}`"),
        };
        assert!(page.contains(&written), "{written}");
    }
}

/// A document with everything in it.
const RICH: &str = r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Allow",
    "Principal":{"AWS":["*","111122223333"],"Service":"a.b"},"NotAction":["a:*","b:C?"],
    "Resource":"arn:aws:s3:::${aws:username, 'x'}/*","Condition":{"ForAllValues:StringLike":
    {"x:k":["${*}","a"]},"IpAddress":{"x:i":"10.0.0.0/8"},"DateLessThan":{"x:d":"2026-01-01"}}}]}"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_text_is_too_much(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<char>()), 0..4),
    ) {
        let mut letters: Vec<char> = RICH.chars().collect();
        for (at, how, letter) in changes {
            let at = at.index(letters.len());
            match how {
                0 => drop(letters.remove(at)),
                1 => letters.insert(at, letter),
                2 => letters[at] = letter,
                _ => letters.swap(at, 0),
            }
        }
        let text: String = letters.into_iter().collect();
        let kinds = [Kind::Managed, Kind::Inline, Kind::Session, Kind::Resource];
        for kind in kinds {
            // What is refused says why; what is taken can be asked.
            match Policy::compile("policy", &text, kind) {
                Ok(policy) => prop_assert!(!policy.is_closed()),
                Err(mistakes) => prop_assert!(!mistakes.to_string().is_empty()),
            }
        }
        stored(&text, "good:A");
    }
}
