//! Paths of one host as a tree of segments.

use hashbrown::HashMap;

use super::Sought;
use crate::model::route::Target;
use crate::model::route::template::{Segment, is_value};

/// What begins with the same segments.
#[derive(Debug, Default)]
pub(super) struct Tree {
    literal: HashMap<Box<str>, Tree>,
    variable: Option<Box<Tree>>,
    /// Routes that take all further segments.
    rest: Ends,
    /// Routes that end here.
    ends: Ends,
}

/// The routes of one path, those that stand before others first.
#[derive(Debug, Default)]
struct Ends(Vec<End>);

#[derive(Debug)]
struct End {
    /// The place of the route.
    place: usize,
    /// None: any.
    methods: Box<[Box<str>]>,
    parameters: Box<[(Box<str>, Box<str>)]>,
}

impl Tree {
    pub(super) fn insert(&mut self, path: &[Segment], place: usize, target: &Target) {
        let Some((first, further)) = path.split_first() else {
            return self.ends.insert(place, target);
        };
        match first {
            Segment::Literal(text) => {
                let below = self.literal.entry(text.clone()).or_default();
                below.insert(further, place, target);
            }
            Segment::Variable(_) => {
                let below = self.variable.get_or_insert_default();
                below.insert(further, place, target);
            }
            Segment::Rest(_) => self.rest.insert(place, target),
        }
    }

    /// The place of the route that a path and the rest of the request match.
    pub(super) fn find<P, E>(&self, sought: &Sought<'_, P>) -> Result<Option<usize>, E>
    where
        P: Fn(&str, &str) -> Result<bool, E>,
    {
        self.find_from(sought.segments, sought)
    }

    fn find_from<P, E>(&self, segments: &[&str], sought: &Sought<'_, P>) -> Result<Option<usize>, E>
    where
        P: Fn(&str, &str) -> Result<bool, E>,
    {
        let Some((first, further)) = segments.split_first() else {
            return self.ends.find(sought);
        };
        if let Some(below) = self.literal.get(*first)
            && let Some(found) = below.find_from(further, sought)?
        {
            return Ok(Some(found));
        }
        // security 10: "Template variables match `[A-Za-z0-9._-]{1,128}`".
        if let Some(below) = &self.variable
            && is_value(first)
            && let Some(found) = below.find_from(further, sought)?
        {
            return Ok(Some(found));
        }
        // "(with `/` where the route says `rest`)"
        if segments.iter().all(|segment| is_value(segment)) {
            return self.rest.find(sought);
        }
        Ok(None)
    }
}

impl Ends {
    fn insert(&mut self, place: usize, target: &Target) {
        let end = match target {
            Target::Http(target) => End {
                place,
                methods: target.methods.as_slice().into(),
                parameters: target
                    .parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            },
            Target::Grpc(_) => End {
                place,
                methods: Box::default(),
                parameters: Box::default(),
            },
        };
        let after = self.0.partition_point(|one| one.rank() >= end.rank());
        self.0.insert(after, end);
    }

    fn find<P, E>(&self, sought: &Sought<'_, P>) -> Result<Option<usize>, E>
    where
        P: Fn(&str, &str) -> Result<bool, E>,
    {
        for end in &self.0 {
            let any = end.methods.is_empty();
            if !any && !end.methods.iter().any(|method| **method == *sought.method) {
                continue;
            }
            if end.has_parameters(sought)? {
                return Ok(Some(end.place));
            }
        }
        Ok(None)
    }
}

impl End {
    /// What stands before others is greater.
    fn rank(&self) -> (bool, usize) {
        (!self.methods.is_empty(), self.parameters.len())
    }

    fn has_parameters<P, E>(&self, sought: &Sought<'_, P>) -> Result<bool, E>
    where
        P: Fn(&str, &str) -> Result<bool, E>,
    {
        for (name, value) in &self.parameters {
            if !(sought.parameter)(name, value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
