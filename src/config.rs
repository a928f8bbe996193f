//! What `serve` is told: by flags, the environment, a file and defaults, in this order.
//!
//! One table, [`setting::SETTINGS`], says what can be told. Flags, variables, members of the file,
//! its JSON Schema and what `--print-config` writes are all made from it, so that none of them can
//! know what another does not. A layer replaces what those below it say of a setting, lists as a
//! whole. What no layer can take is refused with its place: an unknown member of the file, an
//! unknown variable, a value.
//!
//! Not here: what the values mean together (`cli::serve`).

mod environment;
mod file;
mod flags;
mod origin;
mod read;
mod schema;
pub mod setting;
mod shown;

use std::path::PathBuf;

pub use self::environment::environment;
pub use self::file::{MAX_FILE_BYTES, file};
pub use self::flags::Flags;
pub use self::origin::{Given, Layer, Origin, Text};
pub use self::read::Read;
pub use self::schema::schema;
pub use self::shown::shown;
use crate::document::DocumentErrors;

/// What is told, by all layers.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    /// From the highest to the lowest.
    layers: Vec<Layer>,
}

/// Why something that was told cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The file says what it cannot say.
    #[error("{}", told(path, errors))]
    Document {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        errors: Box<DocumentErrors>,
    },
    /// A variable that no setting has.
    #[error("unknown variable `{0}`")]
    UnknownVariable(String),
    /// A variable that was probably meant for a setting.
    #[error("unknown variable `{name}`: it is `{meant}`")]
    NearVariable {
        /// What stands in the environment.
        name: String,
        /// What the setting reads.
        meant: String,
    },
    /// A variable whose value is no text.
    #[error("{0}: not UTF-8")]
    NotText(String),
    /// A value that cannot be read.
    #[error("{origin}: {cause}")]
    Value {
        /// Where it was told.
        origin: Origin,
        /// What is wrong with it.
        cause: String,
    },
}

/// One line for each error of a document, with the file before it.
fn told(path: &std::path::Path, errors: &DocumentErrors) -> String {
    let lines = errors.iter();
    let lines = lines.map(|error| format!("{}:{error}", path.display()));
    lines.collect::<Vec<_>>().join("\n")
}

impl Configured {
    /// What layers tell, the highest first.
    pub fn new(layers: Vec<Layer>) -> Self {
        Self { layers }
    }

    /// What is told of a setting: by the highest layer that names it, else by its default.
    fn find(&self, setting: &'static setting::Setting) -> Option<Given> {
        let layers = self.layers.iter();
        let mut named = layers.flat_map(|layer| layer.0.iter());
        let told = named.find(|given| std::ptr::eq(given.setting, setting));
        told.cloned().or_else(|| Given::default_of(setting))
    }
}

#[cfg(test)]
mod tests;
