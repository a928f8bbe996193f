//! The whole handler without the network: from the bytes of a question to the bytes of its answer.

use std::sync::Arc;

use prost::Message as _;
use tagwarden::directory::Directory;
use tagwarden::publish::{Publisher, publication};
use tagwarden::service::pdp::{Clock, Config, Pdp};

use super::message::message;
use super::single;
use tagwarden::compiler::compile;

/// A decision point over 10,000 single-statement policies, and questions with three request tags
/// and three resource tags each.
pub struct Handler {
    /// The decision point.
    pub pdp: Pdp,
    /// The questions.
    pub questions: Vec<Vec<u8>>,
    _publisher: Publisher,
}

impl Handler {
    /// One with so many distinct questions.
    pub fn new(distinct: usize) -> Self {
        const POLICIES: usize = 10_000;
        let (mut publisher, reader) = publication().unwrap();
        publisher.publish(compile(&single::bundle(POLICIES)).unwrap());
        let pdp = Pdp::new(Config {
            reader,
            directory: Arc::new(Directory::default()),
            clock: Clock::default(),
            pages: tagwarden::wire::page::PageKey::new([7; 64]),
        });
        let requests = single::requests(POLICIES, distinct);
        let bytes = requests
            .iter()
            .map(|request| message(request).encode_to_vec());
        Self {
            pdp,
            questions: bytes.collect(),
            _publisher: publisher,
        }
    }
}
