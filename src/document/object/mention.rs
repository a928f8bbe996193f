//! What an object names, so that whoever names something can be found again.

use std::collections::BTreeSet;
use std::fmt;

use crate::document::bundle::account::group;
use crate::document::bundle::{MAX_FILE_BYTES, entry, organization};
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::position::Source;
use crate::model::account::{Name, PolicyRef};
use crate::model::arn::AccountId;
use crate::model::object::{AccountObject, ObjectId};

/// Something that objects name. Its text is a path: `user/1/alice`.
///
/// No text is the start of another one followed by a control character, so that the text, a line
/// feed and the text of an object make an ordered key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mention {
    /// `custom/<account>/NAME`: a custom policy, named by attachments.
    Custom(AccountId, Name),
    /// `system/NAME`: a system policy, named by attachments of any account.
    System(Name),
    /// `user/<account>/NAME`: a user, named by groups.
    User(AccountId, String),
    /// `uid/<digits>`: the number of users and roles; one of all accounts may have it.
    Uid(String),
    /// `control/NAME`: a policy of `policies/control`, named by organizations.
    Control(Name),
    /// `tag/NAME`: a tag policy, named by organizations.
    Tag(Name),
    /// `member/<account>`: a member account, named by its organization.
    Member(AccountId),
    /// `management/<account>`: a management account, named by its organizations.
    Management(AccountId),
}

impl fmt::Display for Mention {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(account, name) => write!(to, "custom/{account}/{name}"),
            Self::System(name) => write!(to, "system/{name}"),
            Self::User(account, name) => write!(to, "user/{account}/{name}"),
            Self::Uid(uid) => write!(to, "uid/{uid}"),
            Self::Control(name) => write!(to, "control/{name}"),
            Self::Tag(name) => write!(to, "tag/{name}"),
            Self::Member(account) => write!(to, "member/{account}"),
            Self::Management(account) => write!(to, "management/{account}"),
        }
    }
}

/// What an object names. It depends on nothing but the object: not on the switches, nor on the
/// catalog. A document that cannot be read names nothing; no change that holds one is accepted.
///
/// ```
/// use tagwarden::document::object::mentions;
/// use tagwarden::model::object::ObjectId;
///
/// let named = |id, text: &str| -> Vec<String> {
///     let id = ObjectId::try_from(id).unwrap();
///     mentions(&id, text.as_bytes()).iter().map(ToString::to_string).collect()
/// };
/// let group = named("accounts/1/groups/ops", r#"{"users": ["alice", "bob"]}"#);
/// assert_eq!(group, ["user/1/alice", "user/1/bob"]);
/// let attachment = named("accounts/1/attachments/user:alice/account/custom:Dev", "{}");
/// assert_eq!(attachment, ["custom/1/Dev"]);
/// assert_eq!(named("accounts/1/users/alice", r#"{"uid": "7"}"#), ["uid/7"]);
/// ```
pub fn mentions(id: &ObjectId, document: &[u8]) -> BTreeSet<Mention> {
    match id {
        ObjectId::Organization(_) => named_by_organization(document),
        ObjectId::Account(account, object) => match object {
            AccountObject::User(_) | AccountObject::Role(_) => uid(document),
            AccountObject::Group(name) => users(account, name, document),
            AccountObject::Attachment(_, _, PolicyRef::Custom(name)) => {
                BTreeSet::from([Mention::Custom(account.clone(), name.clone())])
            }
            AccountObject::Attachment(_, _, PolicyRef::System(name)) => {
                BTreeSet::from([Mention::System(name.clone())])
            }
            AccountObject::Itself | AccountObject::Policy(_) => BTreeSet::new(),
        },
        ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Catalog(_)
        | ObjectId::Shared(..)
        | ObjectId::Resources => BTreeSet::new(),
    }
}

fn read<T>(
    document: &[u8],
    reader: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Option<T> {
    let source = Source::from_bytes(document).ok()?;
    let read = cursor::read(source, MAX_FILE_BYTES, reader).ok()?;
    Some(read.value)
}

/// The number alone: whether a role's trust policy can be read depends on the switches.
fn uid(document: &[u8]) -> BTreeSet<Mention> {
    let uid = read(document, |at, sink| {
        let entries = at.entries(sink)?;
        let uid = entries.iter().find(|(name, _)| *name == "uid");
        uid.map(|(_, at)| entry::uid(at, sink)).transpose()
    });
    uid.flatten().map(Mention::Uid).into_iter().collect()
}

fn users(account: &AccountId, name: &Name, document: &[u8]) -> BTreeSet<Mention> {
    let group = read(document, |at, sink| group(at, Some(name), sink));
    let users = group.into_iter().flat_map(|group| group.users);
    users
        .map(|user| Mention::User(account.clone(), user.value))
        .collect()
}

fn named_by_organization(document: &[u8]) -> BTreeSet<Mention> {
    let Some(read) = read(document, organization::read) else {
        return BTreeSet::new();
    };
    let management = Mention::Management(read.organization.management.clone());
    let members = read
        .members
        .into_iter()
        .map(|one| Mention::Member(one.value));
    let tag = read
        .tag_policies
        .into_iter()
        .map(|one| Mention::Tag(one.value));
    let control = read.policies.into_iter().filter_map(|one| match one.value {
        PolicyRef::Custom(name) => Some(Mention::Control(name)),
        PolicyRef::System(_) => None,
    });
    control
        .chain(tag)
        .chain(members)
        .chain([management])
        .collect()
}
