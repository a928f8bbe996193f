//! The layer of the environment.

use std::ffi::OsString;

use super::setting::{Kind, PREFIX, SETTINGS, Setting};
use super::{ConfigError, Given, Layer, Origin, Text};

/// What variables tell.
///
/// Every name with `__` after the prefix is one of ours. Others are not: a container's environment
/// has names such as `TAGWARDEN_SERVICE_HOST` where a service is called so. Only one that lacks an
/// underscore of ours was meant for us.
///
/// # Errors
///
/// All variables that no setting has, and those that are no text.
pub fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Layer, Vec<ConfigError>> {
    let (mut layer, mut errors) = (Layer::default(), Vec::new());
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        match (find(name), value.into_string()) {
            (Ok(None), _) => {}
            (Ok(Some(setting)), Ok(value)) => layer.0.push(given(setting, name, &value)),
            (Ok(Some(_)), Err(_)) => errors.push(ConfigError::NotText(name.to_owned())),
            (Err(error), _) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(layer)
    } else {
        errors.sort_by_key(ToString::to_string);
        Err(errors)
    }
}

/// The setting of a variable; `None` where the variable is none of ours.
fn find(name: &str) -> Result<Option<&'static Setting>, ConfigError> {
    for setting in SETTINGS {
        let variable = setting.variable();
        if variable == name {
            return Ok(Some(setting));
        }
        if variable.replace("__", "_") == name {
            return Err(ConfigError::NearVariable {
                name: name.to_owned(),
                meant: variable,
            });
        }
    }
    if name.contains("__") {
        return Err(ConfigError::UnknownVariable(name.to_owned()));
    }
    Ok(None)
}

fn given(setting: &'static Setting, name: &str, value: &str) -> Given {
    let text = |text: &str| Text {
        text: text.to_owned(),
        origin: Origin::Variable(name.to_owned()),
    };
    let texts = match setting.kind {
        Kind::List => value.split_whitespace().map(text).collect(),
        Kind::Text | Kind::Whole { .. } | Kind::Word(_) => vec![text(value)],
    };
    Given { setting, texts }
}
