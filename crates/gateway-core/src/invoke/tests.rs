//! Function names and both forms of their ARNs.

use super::*;

#[track_caller]
fn check(text: &str, expect: Option<(&str, Option<&str>)>) {
    let arn = FunctionArn::parse(text).ok();
    let seen = arn
        .as_ref()
        .map(|arn| (arn.name.as_str(), arn.qualifier.as_deref()));
    assert_eq!(seen, expect, "{text}");
}

#[test]
fn arns_are_read_in_both_forms() {
    let lambda = "arn:aws:lambda:eu-west-1:000000000000:function:cart";
    let wrapped = format!(
        "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{lambda}/invocations"
    );
    check(lambda, Some(("cart", None)));
    check(&wrapped, Some(("cart", None)));
    check(&format!("{lambda}:live"), Some(("cart", Some("live"))));
    check(&format!("{lambda}:$LATEST"), Some(("cart", None)));
}

#[test]
fn other_texts_are_no_function() {
    check("cart", None);
    check("arn:aws:lambda:eu-west-1:000000000000:layer:cart", None);
    check("arn:aws:lambda:eu-west-1:0000:function:cart", None);
    check("arn:aws:lambda:eu-west-1:000000000000:function:ca rt", None);
    check("arn:aws:lambda:eu-west-1:000000000000:function:cart:", None);
    check(
        "arn:aws:lambda:eu-west-1:000000000000:function:cart:a:b",
        None,
    );
    let nested = "arn:aws:apigateway:r1:lambda:path/2015-03-31/functions/".repeat(2000);
    check(&nested, None);
}

#[test]
fn only_errors_after_the_start_have_begun() {
    assert!(InvokeError::TimedOut.has_begun());
    assert!(InvokeError::Crashed("exit 1".into()).has_begun());
    assert!(!InvokeError::NotFound.has_begun());
    assert!(!InvokeError::Throttled.has_begun());
    assert!(!InvokeError::Unavailable.has_begun());
}
