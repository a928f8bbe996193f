//! The table of all settings.

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The section of the file that it stands in.
    pub section: &'static str,
    /// Its name there.
    pub key: &'static str,
    /// The flag, without `--`.
    pub flag: &'static str,
    /// What help calls its value.
    pub value: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Its value where nobody tells one.
    pub default: Option<&'static str>,
    /// What it is, for people.
    pub help: &'static str,
}

/// What the value of a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// Texts. The flag is repeatable, the variable separates them by spaces.
    List,
    /// A whole number.
    Whole {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// One of some words.
    Word(&'static [&'static str]),
}

impl Setting {
    /// The variable of the environment: `TAGWARDEN_SECTION__KEY`.
    pub fn variable(&self) -> String {
        let (section, key) = (self.section, self.key);
        format!("{PREFIX}{section}__{key}").to_ascii_uppercase()
    }
}

/// What the names of variables begin with.
pub const PREFIX: &str = "TAGWARDEN_";

/// Sections in the order of help, with their headings there.
pub const SECTIONS: [(&str, &str); 6] = [
    ("source", "Policies"),
    ("server", "Data server"),
    ("tls", "TLS of data addresses"),
    ("manage", "Management"),
    ("admin", "Metrics and probes"),
    ("http", "Decisions over HTTP"),
];

const SECONDS: Kind = Kind::Whole {
    least: 0,
    most: 86_400,
};

const NOTHING: Setting = Setting {
    section: "",
    key: "",
    flag: "",
    value: "",
    kind: Kind::Text,
    default: None,
    help: "",
};

/// The directory of the bundle.
pub static BUNDLE: Setting = Setting {
    section: "source",
    key: "bundle",
    flag: "bundle",
    value: "DIR",
    help: "The directory of the bundle: watched, and read again when it changes or on SIGHUP. With \
        --data it is read once, into an empty store",
    ..NOTHING
};
/// The directory of the store.
pub static DATA: Setting = Setting {
    section: "source",
    key: "data",
    flag: "data",
    value: "DIR",
    help: "The directory of the store, which the management channel changes; it is made, for this \
        user alone. Without --data and --bundle the store is in memory and ends with the process",
    ..NOTHING
};
/// How many changes history keeps.
pub static HISTORY_CHANGES: Setting = Setting {
    section: "source",
    key: "history_changes",
    flag: "history-changes",
    value: "N",
    kind: Kind::Whole {
        least: 1,
        most: 1_000_000_000,
    },
    default: Some("10000"),
    help: "The most changes that the history of the store keeps",
};
/// How long history keeps them.
pub static HISTORY_DAYS: Setting = Setting {
    section: "source",
    key: "history_days",
    flag: "history-days",
    value: "DAYS",
    kind: Kind::Whole {
        least: 1,
        most: 36_500,
    },
    default: Some("90"),
    help: "How many days the history of the store keeps changes",
};
/// How often files are compared.
pub static POLL: Setting = Setting {
    section: "source",
    key: "poll",
    flag: "poll",
    value: "SECONDS",
    kind: Kind::Whole {
        least: 1,
        most: 86_400,
    },
    default: Some("5"),
    help: "Seconds between two comparisons of the bundle's digest, and of the files of TLS, where \
        no event tells of a change",
};
/// Where decisions are served.
pub static LISTEN: Setting = Setting {
    section: "server",
    key: "listen",
    flag: "listen",
    value: "ADDRESS",
    kind: Kind::List,
    default: Some("127.0.0.1:4770"),
    help: "Where to listen: `<ip>:<port>[,tls]` or `unix:/path[,mode=0660][,owner=UID:GID]`. \
        Repeatable",
};
/// How many threads decide.
pub static WORKERS: Setting = Setting {
    section: "server",
    key: "workers",
    flag: "workers",
    value: "N",
    kind: Kind::Whole {
        least: 1,
        most: 1_024,
    },
    help: "Worker threads. Default: the processors that this process may use",
    ..NOTHING
};
/// How many connections there are.
pub static CONNECTIONS: Setting = Setting {
    section: "server",
    key: "connections",
    flag: "connections",
    value: "N",
    kind: Kind::Whole {
        least: 1,
        most: 1_000_000,
    },
    default: Some("4096"),
    help: "The most connections of data addresses; further ones wait",
};
/// How long connections are still taken.
pub static LAME_DUCK: Setting = Setting {
    section: "server",
    key: "lame_duck",
    flag: "lame-duck",
    value: "SECONDS",
    kind: SECONDS,
    default: Some("0"),
    help: "Seconds after the signal to stop in which connections and calls are still taken, while \
        health and probes say that the server stops",
};
/// How long open calls may take.
pub static DRAIN: Setting = Setting {
    section: "server",
    key: "drain",
    flag: "drain",
    value: "SECONDS",
    kind: SECONDS,
    default: Some("10"),
    help: "Seconds that open calls may take after that",
};
/// The certificate of data addresses.
pub static TLS_CERT: Setting = Setting {
    section: "tls",
    key: "cert",
    flag: "tls-cert",
    value: "FILE",
    help: "The certificate of data addresses with `,tls`, and those between it and its authority: \
        a PEM file, read again when it changes, as all files of TLS",
    ..NOTHING
};
/// Its key.
pub static TLS_KEY: Setting = Setting {
    section: "tls",
    key: "key",
    flag: "tls-key",
    value: "FILE",
    help: "Its private key: a PEM file",
    ..NOTHING
};
/// The authorities of clients.
pub static TLS_CLIENT_CA: Setting = Setting {
    section: "tls",
    key: "client_ca",
    flag: "tls-client-ca",
    value: "FILE",
    help: "The authorities of clients' certificates: a PEM file. Without it no client is asked for \
        one",
    ..NOTHING
};
/// Whether clients need a certificate.
pub static TLS_CLIENT_AUTH: Setting = Setting {
    section: "tls",
    key: "client_auth",
    flag: "tls-client-auth",
    value: "WHETHER",
    kind: Kind::Word(&["require", "allow"]),
    help: "Whether clients need a certificate: `require`, or `allow`, under which one that is \
        shown must be good. Default: `require`",
    ..NOTHING
};
/// Who is let in.
pub static TLS_SPIFFE: Setting = Setting {
    section: "tls",
    key: "spiffe",
    flag: "tls-spiffe",
    value: "ID",
    kind: Kind::List,
    help: "A SPIFFE id that is let in, or with a final `/*` all below; without any, whoever has a \
        certificate. Repeatable",
    ..NOTHING
};
/// Where the management channel is.
pub static MANAGE: Setting = Setting {
    section: "manage",
    key: "listen",
    flag: "manage",
    value: "ADDRESS",
    help: "Where the management channel listens: `unix:/path`, `<ip>:<port>,tls` or `none`. \
        Default: `unix:${XDG_RUNTIME_DIR:-/run}/tagwarden/manage.sock`, and with --bundle none \
        where that cannot be made",
    ..NOTHING
};
/// Who manages without permission.
pub static ADMINISTRATOR: Setting = Setting {
    section: "manage",
    key: "administrators",
    flag: "administrator",
    value: "PEER",
    kind: Kind::List,
    help: "Who manages without permission until `callers.json` maps it to a principal: \
        `uid:<number>`, `gid:<number>`, `spiffe://<domain>/<path>`, `dns:<name>`, `uri:<uri>` or \
        `token:<name>`. Repeatable. Default: this process' own user at the socket, and root",
    ..NOTHING
};
/// The certificate of a management address.
pub static MANAGE_TLS_CERT: Setting = Setting {
    section: "manage",
    key: "tls_cert",
    flag: "manage-tls-cert",
    value: "FILE",
    help: "The certificate of a management address with `,tls`: a PEM file",
    ..NOTHING
};
/// Its key.
pub static MANAGE_TLS_KEY: Setting = Setting {
    section: "manage",
    key: "tls_key",
    flag: "manage-tls-key",
    value: "FILE",
    help: "Its private key: a PEM file",
    ..NOTHING
};
/// The authorities of those who manage.
pub static MANAGE_TLS_CLIENT_CA: Setting = Setting {
    section: "manage",
    key: "tls_client_ca",
    flag: "manage-tls-client-ca",
    value: "FILE",
    help: "The authorities of certificates of those who manage: a PEM file. Everybody needs one, \
        or one or a token where there are tokens",
    ..NOTHING
};
/// Who is let in to manage.
pub static MANAGE_TLS_SPIFFE: Setting = Setting {
    section: "manage",
    key: "tls_spiffe",
    flag: "manage-tls-spiffe",
    value: "ID",
    kind: Kind::List,
    help: "A SPIFFE id that is let in to manage, or with a final `/*` all below. Repeatable",
    ..NOTHING
};
/// Tokens of those who manage.
pub static MANAGE_TOKEN_FILE: Setting = Setting {
    section: "manage",
    key: "token_files",
    flag: "manage-token-file",
    value: "NAME=FILE",
    kind: Kind::List,
    help: "A bearer token of those who manage, and their name: `NAME=FILE`. The file has mode 0600 \
        or 0400 and holds one line of at least 32 characters. Repeatable",
    ..NOTHING
};
/// Where metrics and probes are.
pub static ADMIN: Setting = Setting {
    section: "admin",
    key: "listen",
    flag: "admin",
    value: "ADDRESS",
    default: Some("127.0.0.1:4771"),
    help: "Where metrics and probes are served over HTTP: `<ip>:<port>` or `none`",
    ..NOTHING
};
/// Hosts that requests for them may name.
pub static ADMIN_HOST: Setting = Setting {
    section: "admin",
    key: "hosts",
    flag: "admin-host",
    value: "NAME",
    kind: Kind::List,
    help: "A host name that requests for metrics and probes may name, beside those of the loopback \
        and the address itself. Repeatable",
    ..NOTHING
};
/// Where decisions are served over HTTP.
pub static HTTP: Setting = Setting {
    section: "http",
    key: "listen",
    flag: "http",
    value: "ADDRESS",
    default: Some("none"),
    help: "Where decisions are served over HTTP with JSON, and as AuthZEN: `<ip>:<port>` or `none`",
    ..NOTHING
};
/// Hosts that requests for them may name.
pub static HTTP_HOST: Setting = Setting {
    section: "http",
    key: "hosts",
    flag: "http-host",
    value: "NAME",
    kind: Kind::List,
    help: "A host name that requests for decisions may name, beside those of the loopback and the \
        address itself. Repeatable",
    ..NOTHING
};

/// All settings, in the order of help.
pub static SETTINGS: [&Setting; 26] = [
    &BUNDLE,
    &DATA,
    &HISTORY_CHANGES,
    &HISTORY_DAYS,
    &POLL,
    &LISTEN,
    &WORKERS,
    &CONNECTIONS,
    &LAME_DUCK,
    &DRAIN,
    &TLS_CERT,
    &TLS_KEY,
    &TLS_CLIENT_CA,
    &TLS_CLIENT_AUTH,
    &TLS_SPIFFE,
    &MANAGE,
    &ADMINISTRATOR,
    &MANAGE_TLS_CERT,
    &MANAGE_TLS_KEY,
    &MANAGE_TLS_CLIENT_CA,
    &MANAGE_TLS_SPIFFE,
    &MANAGE_TOKEN_FILE,
    &ADMIN,
    &ADMIN_HOST,
    &HTTP,
    &HTTP_HOST,
];
