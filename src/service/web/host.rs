//! Which hosts requests may name, so that no web page reads answers under a name of its own.

use std::net::IpAddr;

use http::{Request, header};

/// Why a request is not answered for the host that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongHost {
    #[error("one Host is needed")]
    NotOne,
    #[error("this host is not listed")]
    NotListed,
}

/// Checks the host that a request names: the loopback, the address itself, or one of those listed.
pub(crate) fn check<B>(
    request: &Request<B>,
    own: Option<IpAddr>,
    listed: &[String],
) -> Result<(), WrongHost> {
    let host = named(request).ok_or(WrongHost::NotOne)?;
    let name = without_port(host);
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    let is_listed = name.eq_ignore_ascii_case("localhost")
        || address.is_some_and(|address| address.is_loopback() || Some(address) == own)
        || listed
            .iter()
            .any(|listed| listed.eq_ignore_ascii_case(name));
    // security 1.3: "HTTP listeners refuse an unlisted `Host`".
    if is_listed {
        Ok(())
    } else {
        Err(WrongHost::NotListed)
    }
}

/// The host that a request names: once, in its target or its header.
fn named<B>(request: &Request<B>) -> Option<&str> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let header = first.and_then(|host| host.to_str().ok());
    match (request.uri().authority(), second) {
        (_, Some(_)) => None,
        (Some(authority), None) => Some(authority.as_str()),
        (None, None) => header,
    }
}

/// `[::1]:4771` is `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let bare_v6 = name.contains(':') && !name.ends_with(']');
            if bare_v6 { host } else { name }
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_no_part_of_a_name() {
        for (host, name) in [
            ("localhost:4771", "localhost"),
            ("localhost", "localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:4771", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
