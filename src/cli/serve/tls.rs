//! The arguments of TLS, and what of them is only half said.

use std::path::PathBuf;
use std::str::FromStr;

use crate::app::Tls;
use crate::config::{Read, setting};
use crate::model::caller::identity::SpiffePattern;
use crate::service::Listen;
use crate::tls::token::TokenFile;
use crate::tls::{Clients, Config, Need};

/// How addresses with `,tls` serve.
#[derive(Debug)]
pub(super) struct TlsArgs {
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_client_ca: Option<PathBuf>,
    tls_client_auth: Option<ClientAuth>,
    tls_spiffe: Vec<SpiffePattern>,
    manage_tls_cert: Option<PathBuf>,
    manage_tls_key: Option<PathBuf>,
    manage_tls_client_ca: Option<PathBuf>,
    manage_tls_spiffe: Vec<SpiffePattern>,
    manage_token_file: Vec<TokenFile>,
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientAuth {
    /// Without one there is no connection.
    Require,
    /// One that is shown must be good.
    Allow,
}

/// Why a text says nothing of the kind.
#[derive(Debug, thiserror::Error)]
#[error("expected `require` or `allow`, found `{0}`")]
struct NoClientAuth(String);

impl FromStr for ClientAuth {
    type Err = NoClientAuth;

    fn from_str(text: &str) -> Result<Self, NoClientAuth> {
        match text {
            "require" => Ok(Self::Require),
            "allow" => Ok(Self::Allow),
            other => Err(NoClientAuth(other.to_owned())),
        }
    }
}

/// TLS that is half configured: it would be less than somebody believes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HalfConfigured {
    #[error("`{0}` needs --{1}cert and --{1}key")]
    NoPair(Listen, &'static str),
    #[error("--{0}cert and --{0}key go together")]
    HalfPair(&'static str),
    #[error("--{0}… is given, but no {1} address ends in `,tls`")]
    Unused(&'static str, &'static str),
    #[error("--{0}client-auth and --{0}spiffe need --{0}client-ca")]
    NoClientCa(&'static str),
    #[error("--tls-spiffe is no list of who is let in where --tls-client-auth is `allow`")]
    OpenList,
    #[error("the management channel on `{0}` needs TLS: `{0},tls`")]
    PlainManage(Listen),
    #[error("the management channel on `{0}` needs --manage-tls-client-ca or --manage-token-file")]
    UnprovenManage(Listen),
    #[error("the management channel cannot be on `{0}`, which is a data address")]
    SameAddress(Listen),
}

const DATA: &str = "tls-";
const MANAGE: &str = "manage-tls-";

impl TlsArgs {
    /// What is told.
    pub(super) fn read(read: &mut Read<'_>) -> Self {
        Self {
            tls_cert: read.one(&setting::TLS_CERT),
            tls_key: read.one(&setting::TLS_KEY),
            tls_client_ca: read.one(&setting::TLS_CLIENT_CA),
            tls_client_auth: read.one(&setting::TLS_CLIENT_AUTH),
            tls_spiffe: read.all(&setting::TLS_SPIFFE),
            manage_tls_cert: read.one(&setting::MANAGE_TLS_CERT),
            manage_tls_key: read.one(&setting::MANAGE_TLS_KEY),
            manage_tls_client_ca: read.one(&setting::MANAGE_TLS_CLIENT_CA),
            manage_tls_spiffe: read.all(&setting::MANAGE_TLS_SPIFFE),
            manage_token_file: read.all(&setting::MANAGE_TOKEN_FILE),
        }
    }

    /// What is asked for, with the addresses that it is for.
    pub(super) fn config(
        self,
        listen: &[Listen],
        manage: Option<&Listen>,
    ) -> Result<Tls, HalfConfigured> {
        let Self {
            tls_cert,
            tls_key,
            tls_client_ca,
            tls_client_auth,
            tls_spiffe,
            manage_tls_cert,
            manage_tls_key,
            manage_tls_client_ca,
            manage_tls_spiffe,
            manage_token_file,
        } = self;
        check_addresses(listen, manage)?;
        let is_list = !tls_spiffe.is_empty();
        if is_list && tls_client_auth == Some(ClientAuth::Allow) {
            return Err(HalfConfigured::OpenList);
        }
        let data = Given {
            flags: DATA,
            pair: (tls_cert, tls_key),
            ca: tls_client_ca,
            need: tls_client_auth.map(Need::from),
            spiffe: tls_spiffe,
        };
        let need = match manage_token_file.as_slice() {
            [] => None,
            [..] => manage_tls_client_ca.as_ref().map(|_| Need::Optional),
        };
        let managing = Given {
            flags: MANAGE,
            pair: (manage_tls_cert, manage_tls_key),
            ca: manage_tls_client_ca,
            need,
            spiffe: manage_tls_spiffe,
        };
        let secured = |address: &&Listen| matches!(address, Listen::Tls(_));
        let data = data.config(listen.iter().find(secured), "data")?;
        let address = manage.filter(secured);
        let config = managing.config(address, "management")?;
        let manage = match (address, config, manage_token_file) {
            (Some(address), Some(Config { clients: None, .. }), tokens) if tokens.is_empty() => {
                return Err(HalfConfigured::UnprovenManage(address.clone()));
            }
            (_, Some(config), tokens) => Some((config, tokens)),
            (_, None, tokens) if tokens.is_empty() => None,
            (_, None, _) => return Err(HalfConfigured::Unused("manage-token-", "management")),
        };
        Ok(Tls { data, manage })
    }
}

/// The arguments for some addresses.
struct Given {
    /// What their names begin with.
    flags: &'static str,
    pair: (Option<PathBuf>, Option<PathBuf>),
    ca: Option<PathBuf>,
    need: Option<Need>,
    spiffe: Vec<SpiffePattern>,
}

impl Given {
    /// What is served with at an address; `None` where there is none.
    fn config(
        self,
        address: Option<&Listen>,
        which: &'static str,
    ) -> Result<Option<Config>, HalfConfigured> {
        let Self {
            flags,
            pair,
            ca,
            need,
            spiffe,
        } = self;
        let clients = match (ca, need, spiffe.is_empty()) {
            (None, None, true) => None,
            (None, _, _) => return Err(HalfConfigured::NoClientCa(flags)),
            (Some(ca), need, _) => Some(Clients {
                ca,
                need: need.unwrap_or(Need::Required),
                spiffe,
            }),
        };
        match (pair, address) {
            ((Some(certificate), Some(key)), Some(_)) => Ok(Some(Config {
                certificate,
                key,
                clients,
            })),
            ((None, None), Some(address)) => Err(HalfConfigured::NoPair(address.clone(), flags)),
            ((None, None), None) if clients.is_none() => Ok(None),
            ((Some(_), Some(_)) | (None, None), None) => Err(HalfConfigured::Unused(flags, which)),
            ((Some(_), None) | (None, Some(_)), _) => Err(HalfConfigured::HalfPair(flags)),
        }
    }
}

impl From<ClientAuth> for Need {
    fn from(auth: ClientAuth) -> Self {
        match auth {
            ClientAuth::Require => Self::Required,
            ClientAuth::Allow => Self::Optional,
        }
    }
}

/// The management channel is never on the data port, and never without TLS on any other.
fn check_addresses(listen: &[Listen], manage: Option<&Listen>) -> Result<(), HalfConfigured> {
    let Some(manage) = manage else {
        return Ok(());
    };
    if let Some(same) = listen.iter().find(|address| address.meets(manage)) {
        return Err(HalfConfigured::SameAddress(same.clone()));
    }
    match manage {
        Listen::Tcp(_) => Err(HalfConfigured::PlainManage(manage.clone())),
        Listen::Tls(_) | Listen::Unix { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::{Configured, Flags};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn read(line: &str) -> Result<Tls, HalfConfigured> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        let Flags(flags) = Line::parse_from(words).flags;
        let told = Configured::new(vec![flags]);
        let mut read = Read::new(&told);
        let (listen, manage) = (read.all(&setting::LISTEN), read.one(&setting::MANAGE));
        let tls = TlsArgs::read(&mut read);
        read.finish(()).unwrap();
        let listen: Vec<Listen> = listen;
        tls.config(&listen, manage.as_ref())
    }

    #[test]
    fn what_is_half_said_is_refused() {
        let check = |line: &str, expected: &str| {
            let refused = read(line).unwrap_err().to_string();
            assert!(refused.contains(expected), "{line}: {refused}");
        };
        let pair = "--tls-cert c --tls-key k";
        let tls = "--listen 0.0.0.0:1,tls";
        check(tls, "needs --tls-cert and --tls-key");
        check(&format!("{tls} --tls-cert c"), "go together");
        check(&format!("{tls} --tls-key k"), "go together");
        check("--tls-cert c", "go together");
        check(pair, "no data address ends in `,tls`");
        check(&format!("--listen 0.0.0.0:1 {pair}"), "no data address");
        check("--tls-client-ca a", "no data address");
        check("--tls-spiffe spiffe://d/a", "need --tls-client-ca");
        check(
            &format!("{tls} {pair} --tls-spiffe spiffe://d/a"),
            "need --tls-client-ca",
        );
        check(
            &format!("{tls} {pair} --tls-client-auth require"),
            "need --tls-client-ca",
        );
        check(
            &format!(
                "{tls} {pair} --tls-client-ca a --tls-client-auth allow --tls-spiffe spiffe://d/a"
            ),
            "no list of who is let in",
        );
        let pair = "--manage-tls-cert c --manage-tls-key k";
        check("--manage 127.0.0.1:2", "needs TLS: `127.0.0.1:2,tls`");
        check("--manage 127.0.0.1:2,tls", "needs --manage-tls-cert");
        check(
            &format!("--manage 127.0.0.1:2,tls {pair}"),
            "needs --manage-tls-client-ca or",
        );
        check(&format!("--manage unix:/m {pair}"), "no management address");
        check(
            "--manage unix:/m --manage-token-file ops=t",
            "no management address",
        );
        check(
            &format!("--manage 127.0.0.1:2,tls {pair} --manage-tls-spiffe spiffe://d/a"),
            "need --manage-tls-client-ca",
        );
        let manage = format!("{pair} --manage-tls-client-ca a");
        for (data, other) in [
            ("127.0.0.1:2", "127.0.0.1:2,tls"),
            ("0.0.0.0:2", "127.0.0.1:2,tls"),
            ("127.0.0.1:2", "[::]:2,tls"),
            ("unix:/m", "unix:/m,mode=0600"),
        ] {
            let line = format!("--listen {data} --manage {other} {manage}");
            check(&line, "which is a data address");
        }
    }

    #[test]
    fn what_is_wholly_said_is_taken() {
        let line = "--listen 127.0.0.1:1 --listen 0.0.0.0:3,tls --tls-cert c --tls-key k
            --tls-client-ca a --tls-spiffe spiffe://d/a --manage 127.0.0.1:2,tls
            --manage-tls-cert m --manage-tls-key n --manage-tls-client-ca o
            --manage-token-file ops=t";
        let Tls { data, manage } = read(line).unwrap();
        let clients = data.unwrap().clients.unwrap();
        assert_eq!((clients.need, clients.spiffe.len()), (Need::Required, 1));
        let (config, tokens) = manage.unwrap();
        assert_eq!(config.clients.unwrap().need, Need::Optional);
        assert_eq!(tokens.len(), 1);
        for line in [
            "",
            "--listen 127.0.0.1:1",
            "--listen 0.0.0.0:1 --manage unix:/m",
        ] {
            let Tls { data, manage } = read(line).unwrap();
            assert!(data.is_none() && manage.is_none(), "{line}");
        }
    }
}
