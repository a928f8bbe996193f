//! Bytes of questions, batches, streamed questions and questions about tags: read as prost reads
//! them, or left to prost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use tagwarden::wire::message::{Authorize, Items, Unread, ValidateTagging, streamed};
use tagwarden::wire::v1::{
    AuthorizeRequest, AuthorizeStreamRequest, BatchAuthorizeRequest, ValidateTaggingRequest,
};

/// Only where a group may begin does prost take what is not read here.
fn may_hold_group(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte & 7 == 3)
}

fn question(bytes: &[u8]) {
    let owned = AuthorizeRequest::decode(bytes);
    let mut read = Authorize::default();
    match (read.merge(bytes), &owned) {
        (Ok(()), owned) => assert_eq!(read, Authorize::from(owned.as_ref().unwrap())),
        (Err(Unread), owned) => assert!(owned.is_err() || may_hold_group(bytes)),
    }
}

fn tagging(bytes: &[u8]) {
    let owned = ValidateTaggingRequest::decode(bytes);
    let mut read = ValidateTagging::default();
    match (read.merge(bytes), &owned) {
        (Ok(()), owned) => assert_eq!(read, ValidateTagging::from(owned.as_ref().unwrap())),
        (Err(Unread), owned) => assert!(owned.is_err() || may_hold_group(bytes)),
    }
}

fn batch(bytes: &[u8]) {
    let owned = BatchAuthorizeRequest::decode(bytes);
    match (read_batch(bytes), &owned) {
        (Ok(read), owned) => {
            let requests = owned.as_ref().unwrap().requests.iter();
            assert!(read.into_iter().eq(requests.map(Authorize::from)));
        }
        (Err(Unread), owned) => assert!(owned.is_err() || may_hold_group(bytes)),
    }
}

fn read_batch(bytes: &[u8]) -> Result<Vec<Authorize<'_>>, Unread> {
    let (count, sub_checks) = Items::new(bytes).count()?;
    let mut items = Items::new(bytes);
    let mut read = Vec::new();
    while let Some(bytes) = items.next_item()? {
        let mut question = Authorize::default();
        question.merge(bytes)?;
        read.push(question);
    }
    let resources = read.iter().map(|question| question.resources.count);
    assert_eq!((read.len(), resources.sum()), (count, sub_checks));
    Ok(read)
}

fuzz_target!(|bytes: &[u8]| {
    question(bytes);
    tagging(bytes);
    batch(bytes);
    let owned = AuthorizeStreamRequest::decode(bytes);
    let mut read = Authorize::default();
    match (streamed(bytes, &mut read), &owned) {
        (Ok(is_asked), owned) => {
            let owned = owned.as_ref().unwrap().request.as_ref();
            assert_eq!(is_asked.then_some(read), owned.map(Authorize::from));
        }
        (Err(Unread), owned) => assert!(owned.is_err() || may_hold_group(bytes)),
    }
});
