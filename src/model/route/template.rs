//! Templates: texts with variables, `{name}`, and what a variable may hold.
//!
//! A variable holds 1 to 128 of `A-Z a-z 0-9 . _ -`, never `:`, `*` or `?` (security 10), so that no
//! request can add a field to an ARN, or a wildcard. The rest of a path, `{name...}`, holds `/` too.

use std::fmt;

/// The longest value of a variable, in bytes.
pub const MAX_VALUE_BYTES: usize = 128;
/// The longest rest of a path, in bytes.
pub const MAX_REST_BYTES: usize = 1_024;
/// The longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 1_024;
/// The most segments of a path that can match.
pub const MAX_SEGMENTS: usize = 64;
/// The longest name of a variable, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Whether a text may be the value of a variable.
pub fn is_value(text: &str) -> bool {
    (1..=MAX_VALUE_BYTES).contains(&text.len()) && text.bytes().all(is_value_byte)
}

/// Whether a text may be the rest of a path: values with `/` between them.
pub fn is_rest(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_value_byte);
    text.len() <= MAX_REST_BYTES && text.split('/').all(is_part)
}

fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// Whether a text may be the name of a variable.
pub fn is_variable_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Why a text is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// A brace without its other, or a name that is none.
    #[error("a variable is `{{name}}`, of lower-case letters, digits and `_`")]
    Variable,
    /// It is too long.
    #[error("longer than {MAX_TEMPLATE_BYTES} bytes")]
    TooLong,
    /// It is no path.
    #[error(
        "a path begins with `/`, has no empty or dotted segment, and only letters, digits and \
         `-._~!$&'()*+,=:@` outside of variables, which are whole segments"
    )]
    Path,
    /// More segments than any request may have.
    #[error("more than {MAX_SEGMENTS} segments")]
    Segments,
    /// The rest of a path stands before its end.
    #[error("`{{name...}}` is taken only as the last segment")]
    Rest,
    /// One variable twice.
    #[error("a variable stands twice")]
    Twice,
    /// It is no host.
    #[error(
        "a host is a name in lower case without a port, with `*` or a variable as its first label or without"
    )]
    Host,
}

/// A text with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Box<[Part]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Variable(Box<str>),
}

impl TryFrom<&str> for Template {
    type Error = InvalidTemplate;

    fn try_from(text: &str) -> Result<Self, InvalidTemplate> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(InvalidTemplate::TooLong);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or(InvalidTemplate::Variable)?;
            if before.contains('}') || !is_variable_name(name) {
                return Err(InvalidTemplate::Variable);
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            parts.push(Part::Variable(name.into()));
            rest = behind;
        }
        if rest.contains('}') {
            return Err(InvalidTemplate::Variable);
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self {
            parts: parts.into(),
        })
    }
}

impl Template {
    /// The variables, in the order written.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(name) => Some(&**name),
        })
    }

    /// The text with values in place of variables; `None`, if one has no value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Variable(name) => text.push_str(value(name)?),
            }
        }
        Some(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(fixed) => to.write_str(fixed)?,
                Part::Variable(name) => write!(to, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// A path with variables as whole segments: `/groups/{id}`, `/objects/{key...}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Box<[Segment]>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(Box<str>),
    /// A value.
    Variable(Box<str>),
    /// This and all further segments; the last of a path.
    Rest(Box<str>),
}

impl TryFrom<&str> for PathTemplate {
    type Error = InvalidTemplate;

    fn try_from(text: &str) -> Result<Self, InvalidTemplate> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(InvalidTemplate::TooLong);
        }
        let path = text.strip_prefix('/').ok_or(InvalidTemplate::Path)?;
        if path.is_empty() {
            let segments = Box::default();
            return Ok(Self { segments });
        }
        let read: Result<Vec<Segment>, _> = path.split('/').map(segment).collect();
        let segments: Box<[Segment]> = read?.into();
        if segments.len() > MAX_SEGMENTS {
            return Err(InvalidTemplate::Segments);
        }
        let before = segments.split_last().map_or(&[][..], |(_, before)| before);
        if before.iter().any(|one| matches!(one, Segment::Rest(_))) {
            return Err(InvalidTemplate::Rest);
        }
        let path = Self { segments };
        let names: Vec<&str> = path.variables().collect();
        let twice = |(place, name): (usize, &&str)| names.iter().take(place).any(|one| one == name);
        if names.iter().enumerate().any(twice) {
            return Err(InvalidTemplate::Twice);
        }
        Ok(path)
    }
}

fn segment(text: &str) -> Result<Segment, InvalidTemplate> {
    if let Some(inner) = text.strip_prefix('{') {
        let name = inner.strip_suffix('}').ok_or(InvalidTemplate::Variable)?;
        let (name, make): (_, fn(Box<str>) -> Segment) = match name.strip_suffix("...") {
            Some(name) => (name, Segment::Rest),
            None => (name, Segment::Variable),
        };
        return if is_variable_name(name) {
            Ok(make(name.into()))
        } else {
            Err(InvalidTemplate::Variable)
        };
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte);
    if text.is_empty() || matches!(text, "." | "..") || !text.bytes().all(is_plain) {
        return Err(InvalidTemplate::Path);
    }
    Ok(Segment::Literal(text.into()))
}

impl PathTemplate {
    /// The segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The variables, in the order written.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Variable(name) | Segment::Rest(name) => Some(&**name),
        })
    }
}

/// Without the names of variables: paths that write alike here match the same requests.
impl fmt::Display for PathTemplate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return to.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => write!(to, "/{text}"),
            Segment::Variable(_) => to.write_str("/{}"),
            Segment::Rest(_) => to.write_str("/{...}"),
        })
    }
}

/// Hosts that a route is for, in lower case and without a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// This one.
    Exact(Box<str>),
    /// Those with one more label before this text, which begins with a dot.
    Below {
        /// The name of the variable that holds the label.
        variable: Option<Box<str>>,
        /// What is behind it: `.example.com`.
        suffix: Box<str>,
    },
}

impl TryFrom<&str> for HostPattern {
    type Error = InvalidTemplate;

    fn try_from(text: &str) -> Result<Self, InvalidTemplate> {
        let (first, suffix) = match text.find('.') {
            Some(dot) => text.split_at(dot),
            None => (text, ""),
        };
        let is_below = suffix.strip_prefix('.').is_some_and(is_host);
        if first == "*" && is_below {
            let (variable, suffix) = (None, suffix.into());
            return Ok(Self::Below { variable, suffix });
        }
        let variable = first
            .strip_prefix('{')
            .and_then(|one| one.strip_suffix('}'));
        match variable {
            Some(name) if is_below && is_variable_name(name) => Ok(Self::Below {
                variable: Some(name.into()),
                suffix: suffix.into(),
            }),
            None if is_host(text) => Ok(Self::Exact(text.into())),
            None | Some(_) => Err(InvalidTemplate::Host),
        }
    }
}

/// Whether a text is a host in lower case, without a port.
pub fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
            })
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

impl HostPattern {
    /// The variable of its first label.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Exact(_) => None,
            Self::Below { variable, .. } => variable.as_deref(),
        }
    }
}

/// Without the name of the variable.
impl fmt::Display for HostPattern {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => to.write_str(host),
            Self::Below { suffix, .. } => write!(to, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_add_no_field_and_no_wildcard() {
        let check = |text: &str, value, rest| {
            assert_eq!((is_value(text), is_rest(text)), (value, rest), "{text}");
        };
        check("eci-1", true, true);
        check("a.b_C-9", true, true);
        check("a/b", false, true);
        check(&"x".repeat(128), true, true);
        check(&"x".repeat(129), false, true);
        check(&"x".repeat(1_025), false, false);
        for text in [
            "", "*", "a:b", "a?b", "a*", "a//b", "/a", "a/", "ä", "a%2f", "a b",
        ] {
            check(text, false, false);
        }
    }

    #[test]
    fn templates_are_filled() {
        let template = Template::try_from("acs:eci:{region}:1:group/{id}").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["region", "id"]);
        let value = |name: &str| (name == "region").then_some("cn");
        assert_eq!(template.fill(value), None);
        let filled = template.fill(|name| Some(if name == "id" { "g" } else { "cn" }));
        assert_eq!(filled.as_deref(), Some("acs:eci:cn:1:group/g"));
        for text in ["{", "}", "{a", "a}", "{A}", "{}", "{a{b}}", "{a-b}"] {
            assert_eq!(
                Template::try_from(text),
                Err(InvalidTemplate::Variable),
                "{text}"
            );
        }
    }

    #[test]
    fn paths_have_whole_segments() {
        let check = |text: &str, expected: Result<&str, InvalidTemplate>| {
            let found = PathTemplate::try_from(text).map(|path| path.to_string());
            assert_eq!(found.as_deref().map_err(|error| *error), expected, "{text}");
        };
        check("/", Ok("/"));
        check("/v1/groups/{id}", Ok("/v1/groups/{}"));
        check("/v1/{a}/{b...}", Ok("/v1/{}/{...}"));
        check("/a:b@c", Ok("/a:b@c"));
        check("", Err(InvalidTemplate::Path));
        check("a", Err(InvalidTemplate::Path));
        check("/a/", Err(InvalidTemplate::Path));
        check("//a", Err(InvalidTemplate::Path));
        check("/a/../b", Err(InvalidTemplate::Path));
        check("/a;b", Err(InvalidTemplate::Path));
        check("/%41", Err(InvalidTemplate::Path));
        check("/a{b}", Err(InvalidTemplate::Path));
        check("/{b}a", Err(InvalidTemplate::Variable));
        check("/{b...}/a", Err(InvalidTemplate::Rest));
        check("/{a}/{a}", Err(InvalidTemplate::Twice));
        check(&"/a".repeat(65), Err(InvalidTemplate::Segments));
    }

    #[test]
    fn hosts_have_one_open_label() {
        let check = |text: &str, expected: Option<&str>| {
            let found = HostPattern::try_from(text)
                .ok()
                .map(|host| host.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("localhost", Some("localhost"));
        check("eci.example.com", Some("eci.example.com"));
        check("*.example.com", Some("*.example.com"));
        check("{tenant}.example.com", Some("*.example.com"));
        for text in [
            "", "*", "{a}", "a.*.b", "a.{b}", "A.b", "a:80", "a..b", "*.", "a.b.",
        ] {
            check(text, None);
        }
    }
}
