//! Every integration test, in one binary: documents, then behaviour over real sockets.

#[cfg(test)]
mod accept;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod bundle;
#[cfg(test)]
mod case;
#[cfg(test)]
mod compliance;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tagging;
