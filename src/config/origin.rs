//! Where a value was told.

use std::fmt;
use std::path::PathBuf;

use super::setting::Setting;
use crate::document::Position;

/// What one layer tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer(pub Vec<Given>);

/// What a layer tells of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The setting.
    pub setting: &'static Setting,
    /// Its values; one, where it is no list.
    pub texts: Vec<Text>,
}

/// One value, and where it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As it was written.
    pub text: String,
    /// Where it was told.
    pub origin: Origin,
}

/// Where a value was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// By a flag.
    Flag(&'static str),
    /// By a variable of the environment.
    Variable(String),
    /// In the file.
    File {
        /// The file.
        path: PathBuf,
        /// Where in it.
        at: Position,
    },
    /// Nowhere: it is the default of a setting.
    Default(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "--{flag}"),
            Self::Variable(name) => formatter.write_str(name),
            Self::File { path, at } => write!(formatter, "{}:{at}", path.display()),
            Self::Default(flag) => write!(formatter, "the default of --{flag}"),
        }
    }
}

impl Given {
    /// What a setting says if nobody does.
    pub(super) fn default_of(setting: &'static Setting) -> Option<Self> {
        let text = setting.default?;
        let origin = Origin::Default(setting.flag);
        let text = Text {
            text: text.to_owned(),
            origin,
        };
        Some(Self {
            setting,
            texts: vec![text],
        })
    }
}
