//! A field of the engine's protocol that Gestalt's crate does not have yet: the time that a read
//! may take.

use prost::bytes::{Buf, BufMut};
use prost::encoding::{
    DecodeContext, WireType, encode_key, encode_varint, encoded_len_varint, string,
};
use prost::{DecodeError, Message};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const METHOD: &str = "/pulumirpc.ResourceMonitor/RegisterResource";
/// The tag of `customTimeouts` in a request, and of `read` in them.
const TIMEOUTS: u32 = 17;
const READ: u32 = 4;

/// A request with a time-out of reads. A message that comes twice is put together, so that the second
/// `customTimeouts` adds to the first.
#[derive(Debug, Default)]
struct Extended {
    request: pulumirpc::RegisterResourceRequest,
    read: String,
}

impl Message for Extended {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        self.request.encode_raw(buffer);
        encode_key(TIMEOUTS, WireType::LengthDelimited, buffer);
        encode_varint(string::encoded_len(READ, &self.read) as u64, buffer);
        string::encode(READ, &self.read, buffer);
    }

    fn encoded_len(&self) -> usize {
        let timeouts = string::encoded_len(READ, &self.read);
        // The key of tag 17 takes two bytes.
        self.request.encoded_len() + 2 + encoded_len_varint(timeouts as u64) + timeouts
    }

    /// It is sent, and never read.
    fn merge_field(
        &mut self,
        tag: u32,
        kind: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        self.request.merge_field(tag, kind, buffer, context)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

pub(crate) async fn register_resource(
    channel: Channel,
    request: pulumirpc::RegisterResourceRequest,
    read: String,
) -> Result<Response<pulumirpc::RegisterResourceResponse>, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let codec: ProstCodec<Extended, pulumirpc::RegisterResourceResponse> = ProstCodec::default();
    let request = Request::new(Extended { request, read });
    client
        .unary(request, PathAndQuery::from_static(METHOD), codec)
        .await
}
