//! Bytes of messages: as they are for decisions, which read and write them by hand; prost's forms
//! for all others, with errors of the sender told as such.

use std::marker::PhantomData;

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message;
use tonic::Status;
use tonic::codec::{
    BufferSettings, Codec as TonicCodec, DecodeBuf, Decoder as TonicDecoder, EncodeBuf, Encoder,
};
use tonic_prost::ProstEncoder;

use super::status::CallError;

/// The codec of the API's services: writes `T`, reads `U`.
#[derive(Debug)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> TonicCodec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = Decoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Decoder(PhantomData)
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct Decoder<U>(PhantomData<U>);

impl<U: Message + Default> TonicDecoder for Decoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        U::decode(bytes).map(Some).map_err(invalid)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a function that errors are mapped by"
)]
fn invalid(error: prost::DecodeError) -> Status {
    CallError::MessageInvalid(error.to_string()).to_status()
}

/// The codec of decisions: messages as the bytes that they are.
#[derive(Debug, Default, Clone, Copy)]
pub struct Raw;

impl TonicCodec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl TonicDecoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}

/// What stands before a message in a body: whether it is compressed, and its length.
pub(crate) const PREFIX: usize = 5;

/// Begins a message of a body, with place for its prefix.
pub(crate) fn begin_frame(capacity: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(capacity);
    frame.extend_from_slice(&[0; PREFIX]);
    frame
}

/// Ends a message of a body: its length is known now.
pub(crate) fn end_frame(mut frame: Vec<u8>) -> Bytes {
    tell_length(&mut frame, 0);
    // With its spare capacity it would need a counter, in an allocation of its own.
    frame.into_boxed_slice().into()
}

/// Appends a message to a body, behind its prefix; nothing, if it fails.
pub(crate) fn append_frame<T, E>(
    body: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
) -> Result<T, E> {
    let begin = body.len();
    body.extend_from_slice(&[0; PREFIX]);
    let written = write(body);
    match &written {
        Ok(_) => tell_length(body, begin),
        Err(_) => body.truncate(begin),
    }
    written
}

/// Sets the length in the prefix of the last message of a body, which begins at a place.
fn tell_length(body: &mut [u8], begin: usize) {
    let length = body.len().saturating_sub(begin + PREFIX);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if let Some(place) = body.get_mut(begin + 1..begin + PREFIX) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}
