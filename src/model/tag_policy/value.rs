//! What `tag_value` and the lists of types are made of, ready to be matched without allocating.

use std::sync::Arc;

/// A value with at most one `*`, which stands for any characters; compared as a whole and with
/// regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePattern {
    text: Arc<str>,
    star: Option<usize>,
}

impl ValuePattern {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the lone `*`, which every value matches, the empty one too.
    pub fn is_any(&self) -> bool {
        &*self.text == "*"
    }

    /// Whether it stands for more than itself.
    pub fn is_wildcard(&self) -> bool {
        self.star.is_some()
    }

    /// Whether a value is meant.
    pub fn matches(&self, value: &str) -> bool {
        let Some((start, end)) = self.star.and_then(|star| self.text.split_at_checked(star)) else {
            return &*self.text == value;
        };
        // INVARIANT: `end` starts with the `*`.
        let end = end.get(1..).unwrap_or_default();
        let rest = value.strip_prefix(start);
        rest.is_some_and(|rest| rest.ends_with(end))
    }
}

impl From<Arc<str>> for ValuePattern {
    /// Of a text without `*` or with one. Any further `*` stands for itself.
    fn from(text: Arc<str>) -> Self {
        let star = text.find('*');
        Self { text, star }
    }
}

/// `service:resource`, `service:*` or `service:ALL_SUPPORTED`, compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypePattern {
    text: Arc<str>,
    /// Where all types of the service are meant: the length of `service:`.
    all_of: Option<usize>,
}

impl TypePattern {
    /// What stands for every type of a service, as it is written now.
    pub const ALL_SUPPORTED: &'static str = "ALL_SUPPORTED";

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a type `service:resource` is meant.
    pub fn matches(&self, resource_type: &str) -> bool {
        let (pattern, asked) = match self.all_of {
            None => (Some(&*self.text), Some(resource_type)),
            Some(length) => (self.text.get(..length), resource_type.get(..length)),
        };
        let (Some(pattern), Some(asked)) = (pattern, asked) else {
            return false;
        };
        pattern.eq_ignore_ascii_case(asked)
    }
}

impl From<Arc<str>> for TypePattern {
    fn from(text: Arc<str>) -> Self {
        let is_all =
            |resource: &str| resource == "*" || resource.eq_ignore_ascii_case(Self::ALL_SUPPORTED);
        let parts = text.split_once(':');
        let all_of =
            parts.and_then(|(service, resource)| is_all(resource).then_some(service.len() + 1));
        Self { text, all_of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stands_for_any_characters_between_both_ends() {
        let check = |pattern: &str, value: &str, expected: bool| {
            let found = ValuePattern::from(Arc::from(pattern)).matches(value);
            assert_eq!(found, expected, "{pattern} {value}");
        };
        check("*", "", true);
        check("*", "x", true);
        check("300*", "300", true);
        check("300*", "2300", false);
        check("*@x.com", "a@x.com", true);
        check("ab*ba", "aba", false);
        check("ab*ba", "abba", true);
        check("red", "Red", false);
    }

    #[test]
    fn types_are_compared_without_regard_to_case() {
        let check = |pattern: &str, value: &str, expected: bool| {
            let found = TypePattern::from(Arc::from(pattern)).matches(value);
            assert_eq!(found, expected, "{pattern} {value}");
        };
        check("ecs:instance", "ECS:Instance", true);
        check("ecs:instance", "ecs:disk", false);
        check("ec2:*", "ec2:volume", true);
        check("ec2:ALL_SUPPORTED", "ec2:volume", true);
        check("ec2:*", "ecs:volume", false);
        check("ec2:*", "ec2", false);
    }
}
