//! A question on the command line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::cli::output::read_text;
use crate::wire::v1;

/// What is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    /// Who asks: `acs:ram::<account>:user/<name>` …
    #[arg(long)]
    principal: String,
    /// The action: `<service>:<name>`.
    #[arg(long)]
    action: String,
    /// A resource: an ARN, or `*`. Repeatable.
    #[arg(long = "resource", required = true)]
    resources: Vec<String>,
    /// A tag of a resource that the directory does not know: `<arn>=<key>=<value>`, or `<arn>=` for
    /// one that has none. Repeatable.
    #[arg(long = "resource-tag")]
    resource_tags: Vec<String>,
    /// The group of a resource: `<arn>=<group>`, or `<arn>=` for one in none. Repeatable.
    #[arg(long = "resource-group")]
    resource_groups: Vec<String>,
    /// A tag that the call carries: `<key>=<value>`. Repeatable.
    #[arg(long = "request-tag")]
    request_tags: Vec<String>,
    /// The call has a tag parameter that names nothing.
    #[arg(long, conflicts_with = "request_tags")]
    empty_tags: bool,
    /// A tag key that the call removes. Repeatable.
    #[arg(long = "remove-key")]
    remove_keys: Vec<String>,
    /// The call removes all tags.
    #[arg(long)]
    remove_all: bool,
    /// The tags of the call replace all tags of the resource.
    #[arg(long)]
    replace: bool,
    /// A context entry: `<key>=<value>`. Repeatable; a key again adds a value.
    #[arg(long = "context")]
    context: Vec<String>,
    /// The file of the session's policy; `none`: the session has none.
    #[arg(long)]
    session: Option<PathBuf>,
    /// The instant of the request, offline only: RFC 3339. Default: now.
    #[arg(long)]
    pub(super) now: Option<String>,
    /// The answer is for somebody who does not carry out obligations.
    #[arg(long)]
    without_obligations: bool,
}

impl Question {
    /// The message that a client would send.
    pub(super) fn message(self) -> anyhow::Result<v1::AuthorizeRequest> {
        let mut resources: Vec<v1::Resource> = self
            .resources
            .iter()
            .map(|arn| v1::Resource {
                arn: arn.clone(),
                ..v1::Resource::default()
            })
            .collect();
        for tag in &self.resource_tags {
            let (resource, rest) = resource_of(&mut resources, tag)?;
            let tags = &mut resource.tags.get_or_insert_default().tags;
            if !rest.is_empty() {
                tags.push(pair(rest)?);
            }
        }
        for group in &self.resource_groups {
            let (resource, id) = resource_of(&mut resources, group)?;
            let id = id.to_owned();
            resource.resource_group = Some(v1::ResourceGroup { id });
        }
        Ok(v1::AuthorizeRequest {
            resources,
            tag_write: self.tag_write()?,
            context: self.context()?,
            session: self.session()?,
            principal: self.principal,
            action: self.action,
            understands_obligations: !self.without_obligations,
            ..v1::AuthorizeRequest::default()
        })
    }

    fn tag_write(&self) -> anyhow::Result<Option<v1::TagWrite>> {
        let tags = self
            .request_tags
            .iter()
            .map(|tag| pair(tag))
            .collect::<Result<Vec<_>, _>>()?;
        let set = (self.empty_tags || !tags.is_empty()).then_some(v1::TagSet { tags });
        let write = v1::TagWrite {
            set,
            remove_keys: self.remove_keys.clone(),
            remove_all: self.remove_all,
            replace: self.replace,
        };
        Ok((write != v1::TagWrite::default()).then_some(write))
    }

    fn context(&self) -> anyhow::Result<Vec<v1::ContextEntry>> {
        let mut entries: Vec<v1::ContextEntry> = Vec::new();
        for text in &self.context {
            let v1::Tag { key, value } = pair(text)?;
            match entries.iter_mut().find(|entry| entry.key == key) {
                Some(entry) => entry.values.push(value),
                None => entries.push(v1::ContextEntry {
                    key,
                    values: vec![value],
                }),
            }
        }
        Ok(entries)
    }

    fn session(&self) -> anyhow::Result<Option<v1::Session>> {
        use v1::session::Policy;
        let Some(path) = &self.session else {
            return Ok(None);
        };
        let policy = if path.as_os_str() == "none" {
            Policy::None(v1::NoSessionPolicy {})
        } else {
            Policy::PolicyDocument(read_text(path)?)
        };
        Ok(Some(v1::Session {
            policy: Some(policy),
        }))
    }
}

fn pair(text: &str) -> anyhow::Result<v1::Tag> {
    let (key, value) = text
        .split_once('=')
        .with_context(|| format!("`{text}` is not `<key>=<value>`"))?;
    Ok(v1::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    })
}

/// The resource that `<arn>=…` is about, and what follows.
fn resource_of<'r, 't>(
    resources: &'r mut [v1::Resource],
    text: &'t str,
) -> anyhow::Result<(&'r mut v1::Resource, &'t str)> {
    for resource in resources {
        if let Some(rest) = text
            .strip_prefix(&resource.arn)
            .and_then(|rest| rest.strip_prefix('='))
        {
            return Ok((resource, rest));
        }
    }
    bail!("`{text}` does not start with the ARN of a `--resource` and `=`")
}
