//! Names of actions: `<service>:<name>`, compared without regard to ASCII case (security 7.3).

use std::borrow::Borrow;
use std::fmt;

use super::text::Class;

/// The longest action name that is taken, in bytes.
pub const MAX_ACTION_BYTES: usize = 128;

/// Why a text is no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an action of the form `<service>:<name>`, at most {MAX_ACTION_BYTES} letters, digits and `-` in the service"
)]
pub struct InvalidAction;

/// A checked action name, borrowed, as written.
#[derive(Debug, Clone, Copy)]
pub struct ActionRef<'a> {
    text: &'a str,
    colon: usize,
}

impl<'a> ActionRef<'a> {
    /// Reads an action.
    ///
    /// # Errors
    ///
    /// When the text is not `<service>:<name>`.
    pub fn parse(text: &'a str) -> Result<Self, InvalidAction> {
        let (service, name) = Class::SERVICE.before_colon(text).ok_or(InvalidAction)?;
        let shaped = !service.is_empty()
            && !name.is_empty()
            && text.len() <= MAX_ACTION_BYTES
            && Class::ALPHANUMERIC.covers(name);
        if shaped {
            Ok(Self {
                text,
                colon: service.len(),
            })
        } else {
            Err(InvalidAction)
        }
    }

    /// The action as written.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Where the colon stands.
    pub(crate) fn colon(&self) -> usize {
        self.colon
    }

    /// The service, as written: `ecs`.
    pub fn service(&self) -> &'a str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The name after the colon: `RunInstances`.
    pub fn name(&self) -> &'a str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }
}

/// Equal without regard to ASCII case.
impl PartialEq for ActionRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(other.text)
    }
}

impl Eq for ActionRef<'_> {}

/// A checked action name in lower case: the form that look-ups use.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionName(Box<str>);

impl ActionName {
    /// The action in lower case: `ecs:runinstances`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service: `ecs`.
    pub fn service(&self) -> &str {
        self.0.split_once(':').map_or("", |(service, _)| service)
    }
}

/// Names are in the order of their texts.
impl Borrow<str> for ActionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<ActionRef<'_>> for ActionName {
    fn from(action: ActionRef<'_>) -> Self {
        Self(action.text.to_ascii_lowercase().into_boxed_str())
    }
}

impl TryFrom<&str> for ActionName {
    type Error = InvalidAction;

    fn try_from(text: &str) -> Result<Self, InvalidAction> {
        ActionRef::parse(text).map(Self::from)
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
