//! Tests of IAM's calls, as forms in and XML out.

use std::sync::Arc;

use api_protocol::caller::{Authority, Caller, Service};
use api_protocol::request_id::RequestId;
use base::name::AccountId;
use bytes::Bytes;
use control::access::directory::Directory;
use control::testing::Node;
use http::Request;
use iam::identity::Identity;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use store::memory::MemStore;

use super::Iam;

struct World {
    node: Node,
    iam: Iam<MemStore>,
    caller: Caller,
}

impl World {
    async fn new() -> Self {
        let node = Node::open("eu-west-1").await;
        let iam = Iam::new(node.control.clone());
        let region = node.control.project().region.clone();
        let caller = Caller::internal(Service::Iam, region, RequestId::from_bits([7; 4]));
        Self { node, iam, caller }
    }

    /// Calls from here on as a user, with the policies that it has.
    fn become_user(&mut self, name: &str) {
        let directory = Directory::read(&self.node.control);
        let users = control::access::users(&self.node.control, AccountId::DEFAULT);
        let user = users.iter().find(|user| user.name == name);
        let user = user.expect("the user is there");
        let identity = directory.user(&user.id).expect("the user is known");
        self.caller.authority = Authority::Checked(Arc::clone(identity));
    }

    async fn call(&self, form: &str) -> String {
        let request = Request::post("/").body(Bytes::from(form.to_owned()));
        let request = request.expect("a request");
        let response = self.iam.handle(&self.caller, &request).await;
        let status = response.status().as_u16();
        let body = response.into_body();
        format!("{status} {}", String::from_utf8_lossy(&body))
    }

    #[track_caller]
    fn expect(&self, form: &str, wanted: &'static str) -> impl Future<Output = ()> {
        let form = form.to_owned();
        let place = std::panic::Location::caller();
        async move {
            let answer = self.call(&form).await;
            assert!(answer.contains(wanted), "{place}: {form}: {answer}");
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

const SELF: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*AccessKey*",
    "Resource":"arn:aws:iam::*:user/${aws:username}"}]}"#;

#[tokio::test]
async fn users_are_made_once_and_go_when_nothing_hangs_on_them() {
    let world = World::new().await;
    let made =
        "Action=CreateUser&UserName=anna&Path=/team/&Tags.member.1.Key=k&Tags.member.1.Value=v";
    world
        .expect(made, "<Arn>arn:aws:iam::000000000000:user/team/anna</Arn>")
        .await;
    world.expect("Action=CreateUser&UserName=ANNA", "409").await;
    world
        .expect("Action=CreateUser&UserName=a/b", "ValidationError")
        .await;
    world
        .expect(
            "Action=GetUser&UserName=anna",
            "<Key>k</Key><Value>v</Value>",
        )
        .await;
    world
        .expect("Action=ListUsers&PathPrefix=/other/", "<Users></Users>")
        .await;
    let key = world.call("Action=CreateAccessKey&UserName=anna").await;
    assert!(key.contains("<SecretAccessKey>"), "{key}");
    world
        .expect(
            "Action=DeleteUser&UserName=anna",
            "must delete access keys first",
        )
        .await;
    let renamed = "Action=UpdateUser&UserName=anna&NewUserName=berta";
    world.expect(renamed, "200").await;
    world
        .expect(
            "Action=ListAccessKeys&UserName=berta",
            "<UserName>berta</UserName>",
        )
        .await;
    world.expect("Action=GetUser&UserName=anna", "404").await;
}

#[tokio::test]
async fn policies_are_checked_attached_and_kept_while_they_are() {
    let world = World::new().await;
    world.expect("Action=CreateUser&UserName=anna", "200").await;
    let policy = format!(
        "Action=CreatePolicy&PolicyName=self&PolicyDocument={}",
        encoded(SELF)
    );
    world
        .expect(&policy, "<Arn>arn:aws:iam::000000000000:policy/self</Arn>")
        .await;
    world.expect(&policy, "EntityAlreadyExists").await;
    world
        .expect(
            "Action=CreatePolicy&PolicyName=x&PolicyDocument=x",
            "MalformedPolicyDocument",
        )
        .await;
    let arn = "PolicyArn=arn:aws:iam::000000000000:policy/self";
    world
        .expect(
            &format!("Action=AttachUserPolicy&UserName=anna&{arn}"),
            "200",
        )
        .await;
    world
        .expect(&format!("Action=DeletePolicy&{arn}"), "DeleteConflict")
        .await;
    world
        .expect(
            &format!("Action=GetPolicyVersion&VersionId=v1&{arn}"),
            "%22Statement%22",
        )
        .await;
    world
        .expect(
            &format!("Action=GetPolicyVersion&VersionId=v2&{arn}"),
            "NoSuchEntity",
        )
        .await;
    world
        .expect(
            "Action=ListAttachedUserPolicies&UserName=anna",
            ":policy/self</PolicyArn>",
        )
        .await;
    world
        .expect("Action=ListPolicies&Scope=AWS", "AdministratorAccess")
        .await;
    world
        .expect(
            &format!("Action=DetachUserPolicy&UserName=anna&{arn}"),
            "200",
        )
        .await;
    world
        .expect(&format!("Action=DeletePolicy&{arn}"), "200")
        .await;
}

#[tokio::test]
async fn users_do_what_they_may_and_sessions_nothing() {
    let mut world = World::new().await;
    for name in ["anna", "bert"] {
        world
            .expect(&format!("Action=CreateUser&UserName={name}"), "200")
            .await;
    }
    let policy = format!(
        "Action=PutUserPolicy&UserName=anna&PolicyName=self&PolicyDocument={}",
        encoded(SELF)
    );
    world.expect(&policy, "200").await;
    world.become_user("anna");
    world
        .expect("Action=CreateAccessKey", "<UserName>anna</UserName>")
        .await;
    world
        .expect("Action=CreateAccessKey&UserName=anna", "200")
        .await;
    world
        .expect("Action=CreateAccessKey", "LimitExceeded")
        .await;
    world
        .expect("Action=CreateAccessKey&UserName=bert", "AccessDenied")
        .await;
    world.expect("Action=ListUsers", "403").await;
    let mut root = Identity::root(AccountId::DEFAULT);
    root.session = Some(iam::identity::InSession {
        policies: Vec::new(),
        issued: clock::time::WallTime::from_micros(0),
    });
    world.caller.authority = Authority::Checked(Arc::new(root));
    world
        .expect("Action=ListUsers", "InvalidClientTokenId")
        .await;
}

#[tokio::test]
async fn what_a_user_may_can_be_asked_without_doing_it() {
    let world = World::new().await;
    world.expect("Action=CreateUser&UserName=anna", "200").await;
    let policy = format!(
        "Action=PutUserPolicy&UserName=anna&PolicyName=self&PolicyDocument={}",
        encoded(SELF)
    );
    world.expect(&policy, "200").await;
    let asked = "Action=SimulatePrincipalPolicy\
                 &PolicySourceArn=arn:aws:iam::000000000000:user/anna\
                 &ActionNames.member.1=iam:CreateAccessKey\
                 &ResourceArns.member.1=arn:aws:iam::000000000000:user/";
    for (of, decision) in [("anna", "allowed"), ("bert", "implicitDeny")] {
        let answer = world.call(&format!("{asked}{of}")).await;
        let told = format!("<EvalDecision>{decision}</EvalDecision>");
        assert!(answer.contains(&told), "{of}: {answer}");
        // Nobody looks for what is missing, so nothing is said of it.
        assert!(!answer.contains("MissingContextValues"), "{answer}");
    }
    let elsewhere = asked.replace("user/anna", "user/team/anna");
    world.expect(&elsewhere, "NoSuchEntity").await;
}

#[tokio::test]
async fn what_is_not_served_is_refused_by_name() {
    let world = World::new().await;
    world
        .expect("Action=CreateRole", "UnsupportedOperation")
        .await;
    world
        .expect(
            "Action=GetAccessKeyLastUsed",
            "when keys are used is not kept",
        )
        .await;
    world.expect("Action=Nonsense", "InvalidAction").await;
    world.expect("", "MissingAction").await;
}

impl World {
    /// Makes a user with one policy of these statements.
    async fn user(&self, name: &str, statements: &str) {
        self.expect(&format!("Action=CreateUser&UserName={name}"), "200")
            .await;
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let form = format!(
            "Action=PutUserPolicy&UserName={name}&PolicyName=own&PolicyDocument={}",
            encoded(&document)
        );
        self.expect(&form, "200").await;
    }

    /// Makes policies that allow what `SELF` does.
    async fn policies(&self, names: &[&str]) {
        for name in names {
            let document = encoded(SELF);
            let form = format!("Action=CreatePolicy&PolicyName={name}&PolicyDocument={document}");
            self.expect(&form, "200").await;
        }
    }
}

const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

#[tokio::test]
async fn a_parameter_that_an_action_does_not_take_leads_to_no_other_resource() {
    let mut world = World::new().await;
    world.policies(&["keep", "other"]).await;
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":
        ["arn:aws:iam::*:policy/keep","arn:aws:iam::*:user/secret","arn:aws:iam::*:user/dora"]}"#;
    world.user("secret", ALL).await;
    world.user("x", ALL).await;
    world.user("dora", &format!("{ALL},{deny}")).await;
    world.become_user("dora");
    let keep = "PolicyArn=arn:aws:iam::000000000000:policy/keep";
    let secret = "arn:aws:iam::000000000000:user/secret";
    let asked = "Action=SimulatePrincipalPolicy&ActionNames.member.1=iam:GetUser";
    for denied in [
        format!("Action=GetPolicy&{keep}"),
        format!("Action=GetPolicyVersion&VersionId=v1&{keep}"),
        format!("Action=ListPolicyVersions&{keep}"),
        format!("Action=DeletePolicy&{keep}"),
        format!("{asked}&PolicySourceArn={secret}"),
        // Nobody is named, so that it is about the caller.
        "Action=CreateAccessKey&PolicyArn=arn:aws:iam::000000000000:policy/other".to_owned(),
    ] {
        world.expect(&denied, "AccessDenied").await;
        if !denied.contains("CreateAccessKey") {
            let stray = format!("{denied}&UserName=x");
            world.expect(&stray, "AccessDenied").await;
        }
    }
    let other = "Action=DeletePolicy&PolicyArn=arn:aws:iam::000000000000:policy/other";
    world
        .expect(&format!("{other}&UserName=secret"), "200")
        .await;
    world
        .expect("Action=ListUsers&UserName=secret", "<UserName>x</UserName>")
        .await;
    world
        .expect(
            "Action=CreateRole&RoleName=r&UserName=x",
            "UnsupportedOperation",
        )
        .await;
}

#[tokio::test]
async fn a_user_is_renamed_where_both_names_may_be_updated() {
    let mut world = World::new().await;
    let dev = r#"{"Effect":"Allow","Action":"iam:UpdateUser",
        "Resource":"arn:aws:iam::*:user/dev/*"}"#;
    world.user("dora", dev).await;
    world
        .expect("Action=CreateUser&UserName=anna&Path=/dev/", "200")
        .await;
    world.become_user("dora");
    let anna = "Action=UpdateUser&UserName=anna";
    for denied in ["NewPath=/boss/", "NewPath=/boss/&NewUserName=berta"] {
        world
            .expect(&format!("{anna}&{denied}"), "AccessDenied")
            .await;
    }
    world
        .expect(
            "Action=UpdateUser&UserName=dora&NewPath=/dev/",
            "AccessDenied",
        )
        .await;
    world
        .expect(&format!("{anna}&NewUserName=berta"), "200")
        .await;
    let berta = "Action=UpdateUser&UserName=berta&NewPath=/dev/more/";
    world.expect(berta, "200").await;
}

#[tokio::test]
async fn a_boundary_counts_from_the_call_that_sets_it_and_from_the_user_otherwise() {
    let mut world = World::new().await;
    world.policies(&["bound", "loose"]).await;
    let bound = "PermissionsBoundary=arn:aws:iam::000000000000:policy/bound";
    let when = r#""Condition":{"StringEquals":
        {"iam:PermissionsBoundary":"arn:aws:iam::000000000000:policy/bound"}}"#;
    let only_bound = format!(r#"{{"Effect":"Allow","Action":"iam:*","Resource":"*",{when}}}"#);
    world.user("delegate", &only_bound).await;
    let not_off = format!(
        r#"{{"Effect":"Deny","Action":"iam:DeleteUserPermissionsBoundary","Resource":"*",{when}}}"#
    );
    world.user("keeper", &format!("{ALL},{not_off}")).await;
    world.expect("Action=CreateUser&UserName=bare", "200").await;
    let held = format!("Action=CreateUser&UserName=held&{bound}");
    world.expect(&held, "200").await;

    world.become_user("delegate");
    let attach = format!(
        "PolicyArn={}",
        control::access::directory::ADMINISTRATOR_ACCESS
    );
    let attach = format!("Action=AttachUserPolicy&{attach}");
    let put = format!(
        "Action=PutUserPolicy&PolicyName=p&PolicyDocument={}",
        encoded(SELF)
    );
    for write in [&attach, &put] {
        world
            .expect(&format!("{write}&UserName=bare&{bound}"), "AccessDenied")
            .await;
        world.expect(&format!("{write}&UserName=held"), "200").await;
    }
    // Neither key belongs to these.
    for other in ["GetUser", "CreateAccessKey", "DeleteUser"] {
        let form = format!("Action={other}&UserName=bare&{bound}");
        world.expect(&form, "AccessDenied").await;
    }
    let loose = bound.replace("/bound", "/loose");
    let set = "Action=PutUserPermissionsBoundary&UserName";
    world
        .expect(&format!("{set}=held&{loose}"), "AccessDenied")
        .await;
    world.expect(&format!("{set}=bare&{bound}"), "200").await;
    world
        .expect("Action=CreateUser&UserName=third", "AccessDenied")
        .await;
    let third = format!("Action=CreateUser&UserName=third&{bound}");
    world.expect(&third, "200").await;

    world.become_user("keeper");
    let off = "Action=DeleteUserPermissionsBoundary&UserName=held";
    world.expect(off, "AccessDenied").await;
    // What the call says of a boundary does not count.
    world
        .expect(&format!("{off}&{loose}"), "AccessDenied")
        .await;
}

#[tokio::test]
async fn the_arn_of_a_policy_counts_where_it_is_attached_and_detached() {
    let mut world = World::new().await;
    world.policies(&["fine", "other"]).await;
    let only_fine = r#"{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"ArnEquals":
        {"iam:PolicyARN":"arn:aws:iam::000000000000:policy/fine"}}}"#;
    world.user("delegate", only_fine).await;
    world.expect("Action=CreateUser&UserName=bare", "200").await;
    world.become_user("delegate");
    let fine = "PolicyArn=arn:aws:iam::000000000000:policy/fine";
    let other = "PolicyArn=arn:aws:iam::000000000000:policy/other";
    for change in ["AttachUserPolicy", "DetachUserPolicy"] {
        let form = format!("Action={change}&UserName=bare");
        world
            .expect(&format!("{form}&{other}"), "AccessDenied")
            .await;
        world.expect(&format!("{form}&{fine}"), "200").await;
    }
    for other in ["CreateAccessKey", "DeleteUser"] {
        let form = format!("Action={other}&UserName=bare&{fine}");
        world.expect(&form, "AccessDenied").await;
    }
}
