//! A bundle as files: the documents of its one account, its policies one a line.

use serde_json::{Value, json};
use tagwarden::document::bundle::BundleFiles;
use tagwarden::document::write::write_policy;
use tagwarden::model::account::{Account, Grantee, Scope};
use tagwarden::model::bundle::Bundle;

/// The files of a bundle whose accounts have users with policies of their own.
pub fn files(bundle: &Bundle) -> BundleFiles {
    let mut files = BundleFiles::default();
    files.insert("bundle.json", r#"{"format": 1}"#);
    for account in &bundle.accounts {
        let directory = format!("accounts/{}", account.id);
        let policies = format!("{directory}/policies/all.jsonl");
        files.insert(policies, policies_of(account));
        files.insert(format!("{directory}/account.json"), people(account));
    }
    files
}

/// Every document of the files, as a text.
pub fn documents(files: &BundleFiles) -> Vec<&str> {
    let texts = files
        .iter()
        .map(|(path, content)| (path, std::str::from_utf8(content).unwrap()));
    texts
        .flat_map(|(path, text)| match path.rsplit_once('.') {
            Some((_, "jsonl")) => text.lines().collect(),
            Some(_) | None => vec![text],
        })
        .collect()
}

fn policies_of(account: &Account) -> String {
    let policies = account.policies.iter();
    let lines = policies.map(|(name, policy)| {
        let line = json!({"name": name.as_str(), "policy": write_policy(policy)});
        format!("{line}\n")
    });
    lines.collect()
}

fn people(account: &Account) -> String {
    let users: Vec<Value> = account
        .users
        .iter()
        .map(|user| json!({"name": user.name}))
        .collect();
    let attachments: Vec<Value> = account
        .attachments
        .iter()
        .map(|attachment| {
            let to = match &attachment.to {
                Grantee::User(name) => format!("user:{name}"),
                Grantee::Group(name) => format!("group:{name}"),
                Grantee::Role(name) => format!("role:{name}"),
            };
            let scope = match &attachment.scope {
                Scope::Account => "account".to_owned(),
                Scope::ResourceGroup(group) => format!("group:{group}"),
            };
            json!({"policy": attachment.policy.to_string(), "to": to, "scope": scope})
        })
        .collect();
    json!({"users": users, "attachments": attachments}).to_string()
}
