//! Listings of the directory over a real socket: cases, pages, rights, and random worlds against the
//! reference evaluator.

mod cases;
mod manage;
mod pages;
mod rights;
mod worlds;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{Loaded, Strictness, read_bundle};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::Disclosure;
use tagwarden::service::pdp::Clock;
use tagwarden::snapshot::Revision;
use tagwarden::source::files::read_directory;
use tagwarden::wire::v1;
use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::server::{Running, SOURCE, config, start_at, trusting, within};

/// The instant of every question.
const NOW: &str = "2026-01-01T00:00:00Z";

type Client = TaggingServiceClient<Channel>;

/// A server whose callers on loopback may list, and its resources.
struct Listed {
    running: Running,
    directory: Arc<Directory>,
    number: u64,
}

impl Listed {
    fn start() -> Self {
        let directory = Arc::new(Directory::default());
        let clock = Clock::new(|| NOW.parse().unwrap());
        Self {
            running: start_at(config(), Arc::clone(&directory), clock),
            directory,
            number: 0,
        }
    }

    /// Puts a bundle into force.
    fn publish(&mut self, bundle: &Bundle) {
        self.number += 1;
        self.directory.replace(bundle.resources.iter().cloned());
        let mut snapshot = compile(bundle).unwrap();
        snapshot.revision = Revision {
            source: SOURCE,
            number: self.number,
            digest: 0,
        };
        snapshot.callers = trusting(Disclosure::Reason);
        self.running.publisher.publish(snapshot);
    }

    async fn client(&self) -> Client {
        TaggingServiceClient::new(self.running.channel().await)
    }
}

fn bundle() -> Bundle {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/listing/bundle");
    let files = read_directory(&root).unwrap();
    let Loaded { bundle, .. } = read_bundle(&files, Strictness::Strict).unwrap();
    bundle
}

fn user(name: &str) -> String {
    format!("acs:ram::1:user/{name}")
}

fn exact(text: &str) -> v1::TextMatch {
    v1::TextMatch {
        kind: v1::TextMatchKind::Exact.into(),
        text: text.to_owned(),
    }
}

fn has(key: &str, values: &[&str]) -> v1::TagFilter {
    v1::TagFilter {
        key: Some(exact(key)),
        values: values.iter().map(|value| exact(value)).collect(),
        negated: false,
    }
}

/// What all pages tell, and how many there were.
struct Pages<T> {
    told: Vec<T>,
    count: usize,
    empty: usize,
}

impl<T> Pages<T> {
    fn new() -> Self {
        Self {
            told: Vec::new(),
            count: 0,
            empty: 0,
        }
    }

    /// Takes a page, and tells whether there are more.
    fn take(&mut self, size: u32, page: Vec<T>, token: &str) -> bool {
        self.count += 1;
        self.empty += usize::from(page.is_empty());
        assert!(page.len() <= size as usize);
        self.told.extend(page);
        assert!(self.count < 10_000, "the pages come to an end");
        !token.is_empty()
    }
}

async fn resources(
    client: &mut Client,
    mut ask: v1::ListResourcesByTagsRequest,
) -> Result<Pages<v1::TaggedResource>, Status> {
    let mut pages = Pages::new();
    loop {
        let page = within(client.list_resources_by_tags(ask.clone())).await?;
        let page = page.into_inner();
        ask.page_token = page.next_page_token;
        if !pages.take(ask.page_size, page.resources, &ask.page_token) {
            return Ok(pages);
        }
    }
}

async fn keys(
    client: &mut Client,
    mut ask: v1::ListTagKeysRequest,
) -> Result<Pages<v1::TagCount>, Status> {
    let mut pages = Pages::new();
    loop {
        let page = within(client.list_tag_keys(ask.clone()))
            .await?
            .into_inner();
        ask.page_token = page.next_page_token;
        if !pages.take(ask.page_size, page.keys, &ask.page_token) {
            return Ok(pages);
        }
    }
}

async fn values(
    client: &mut Client,
    mut ask: v1::ListTagValuesRequest,
) -> Result<Pages<v1::TagCount>, Status> {
    let mut pages = Pages::new();
    loop {
        let page = within(client.list_tag_values(ask.clone()))
            .await?
            .into_inner();
        ask.page_token = page.next_page_token;
        if !pages.take(ask.page_size, page.values, &ask.page_token) {
            return Ok(pages);
        }
    }
}

fn counts(told: &[v1::TagCount]) -> BTreeMap<String, u64> {
    assert!(
        told.windows(2).all(|pair| pair[0].text < pair[1].text),
        "in order, none twice"
    );
    told.iter()
        .map(|one| (one.text.clone(), one.resources))
        .collect()
}

fn arns(told: &[v1::TaggedResource]) -> Vec<String> {
    let mut arns: Vec<String> = told.iter().map(|one| one.arn.clone()).collect();
    arns.sort();
    assert!(arns.windows(2).all(|pair| pair[0] < pair[1]), "none twice");
    arns
}
