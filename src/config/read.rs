//! Texts to values, with every error of all of them.

use std::fmt::Display;
use std::str::FromStr;

use super::setting::{Kind, Setting};
use super::{ConfigError, Configured, Origin, Text};
use crate::document::error::Excerpt;

/// Reads values, and keeps what is wrong with them.
#[derive(Debug)]
pub struct Read<'c> {
    configured: &'c Configured,
    errors: Vec<ConfigError>,
}

impl<'c> Read<'c> {
    /// Nothing is wrong yet.
    pub fn new(configured: &'c Configured) -> Self {
        let errors = Vec::new();
        Self { configured, errors }
    }

    /// All values of a setting.
    pub fn all<T: FromStr<Err: Display>>(&mut self, setting: &'static Setting) -> Vec<T> {
        let given = self.configured.find(setting);
        let texts = given.map_or_else(Vec::new, |given| given.texts);
        let values = texts.into_iter().filter_map(|text| self.parse(&text));
        values.collect()
    }

    /// The value of a setting, if there is one.
    pub fn one<T: FromStr<Err: Display>>(&mut self, setting: &'static Setting) -> Option<T> {
        self.all(setting).into_iter().next()
    }

    /// The value of a setting that is a whole number.
    pub fn whole<T: TryFrom<u64>>(&mut self, setting: &'static Setting) -> Option<T> {
        let given = self.configured.find(setting)?;
        let Text { text, origin } = given.texts.into_iter().next()?;
        let Kind::Whole { least, most } = setting.kind else {
            return None;
        };
        let number = text.parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            let shown = Excerpt::from(&*text);
            let cause = format!("expected a whole number from {least} to {most}, found `{shown}`");
            self.refuse(origin, cause);
        }
        number
    }

    /// What was read, if nothing is wrong.
    ///
    /// # Errors
    ///
    /// All that is.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<ConfigError>> {
        if self.errors.is_empty() {
            Ok(value)
        } else {
            Err(self.errors)
        }
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, text: &Text) -> Option<T> {
        match text.text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(text.origin.clone(), format!("{error}"));
                None
            }
        }
    }

    fn refuse(&mut self, origin: Origin, cause: String) {
        self.errors.push(ConfigError::Value { origin, cause });
    }
}
