//! `hither region invite` and `join`: a machine comes to have the project's key.
//!
//! A region that runs makes the token and takes it back, on its link port; the manifest is no
//! secret, and is copied by other means.

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use clock::wall::System;
use region::proof::Proofs;
use replica::joining;
use replica::joining::token::Token;

use crate::cli::{InviteArgs, JoinArgs};
use crate::http_get::{self, Refused};
use crate::project;
use crate::status;

/// Has a region of this machine make a token.
pub(crate) async fn invite(args: InviteArgs) -> anyhow::Result<ExitCode> {
    let seconds = args.expires.as_secs();
    if args.expires.subsec_nanos() != 0 {
        bail!("read --expires {:#}: whole seconds count", args.expires);
    }
    let Some(nodes) = status::nodes(&args.at)? else {
        return Ok(ExitCode::FAILURE);
    };
    let made = project::state_dir(&args.at.manifest, args.at.state_dir.as_deref());
    let file = args.project_key.unwrap_or_else(|| made.join("project.key"));
    let key = project::known_key(&file)
        .context("a token is worth the project's key: name its file, --project-key FILE")?;
    let proofs = Proofs::new(&key);
    let path = format!(
        "/_hither/invitations?region={}&seconds={seconds}",
        args.region
    );
    let mut problems = Vec::new();
    for (name, node) in nodes {
        // A region invites others to be served, not itself.
        if name == args.region {
            continue;
        }
        match http_get::proven(node, Method::POST, &path, Some(&proofs)).await {
            Ok(told) => {
                tell(&told, args.json);
                return Ok(ExitCode::SUCCESS);
            }
            // Those of other machines answer nobody here; a wrong call is wrong anywhere.
            Err(error) if !is_of_here(&error) => return Err(error.context("invite")),
            Err(error) => problems.push(format!("{name}: {error:#}")),
        }
    }
    if problems.is_empty() {
        bail!("invite: the manifest has no other region");
    }
    bail!("invite: no region makes a token: {}", problems.join("; "))
}

/// Returns whether another region may do what one has failed to do, or refused to its caller.
fn is_of_here(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<Refused>();
    refused.is_none_or(|refused| refused.status == StatusCode::FORBIDDEN)
}

fn tell(told: &Value, as_json: bool) {
    if as_json {
        println!("{told}");
        return;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    println!(
        "{} invites {}, once, for {} s. On its machine, which reaches {}:",
        text(&told["by"]),
        text(&told["region"]),
        told["seconds"],
        text(&told["address"]),
    );
    println!();
    println!("hither region join {}", text(&told["token"]));
}

/// Has the project's key given to this machine.
pub(crate) async fn join(args: JoinArgs) -> anyhow::Result<ExitCode> {
    let file = &args.project_key;
    // Before the token is used up.
    if file.exists() {
        bail!(
            "write {}: it is there already, and a key is not replaced; name another file, \
             --project-key FILE",
            file.display()
        );
    }
    let mut text = args.token;
    if text == "-" {
        text.clear();
        let read = std::io::stdin()
            .take(TOKEN_BYTES_MAX)
            .read_to_string(&mut text);
        read.context("read the join token from standard input")?;
    }
    let token: Token = text.parse()?;
    let address = match args.address {
        Some(address) => address,
        None => token.address.parse().with_context(|| {
            let address = &token.address;
            format!("read the join token: {address} is no address and port; say --address")
        })?,
    };
    let welcome = joining::join(&token, address, Arc::new(System)).await?;
    project::write_key(file, &welcome.key)
        .with_context(|| format!("write {}; the token is used up", file.display()))?;
    let (project, region) = (&welcome.project, token.guest.as_str());
    if args.json {
        let file = file.display().to_string();
        println!(
            "{}",
            json!({"project": project, "region": region, "project_key": file})
        );
        return Ok(ExitCode::SUCCESS);
    }
    let file = file.display();
    println!("the key of project {project} is in {file}: keep it secret; with its manifest,");
    println!();
    println!("hither serve --region {region} --manifest hither.toml --project-key {file} \\");
    println!("  --data-dir DIRECTORY");
    Ok(ExitCode::SUCCESS)
}

/// Most that is read of standard input.
const TOKEN_BYTES_MAX: u64 = 4 << 10;
