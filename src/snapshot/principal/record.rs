//! One principal as bytes: what one decision reads of it stands together.
//!
//! Six numbers come first, then its account, name and number, the ids of its policies, and what it
//! has at the scope of resource groups: for each two numbers, the group's name and the ids.

use super::{Identity, PrincipalKind};
use crate::model::account::RoleKind;
use crate::snapshot::symbol::Symbol;
use crate::snapshot::table::PolicyId;

/// A user or a role of a known account.
#[derive(Debug, Clone, Copy)]
pub struct Principal<'a> {
    /// User or role.
    pub kind: PrincipalKind,
    account: &'a [u8],
    name: &'a [u8],
    uid: Option<&'a [u8]>,
    ids: &'a [u8],
    grouped: &'a [u8],
}

/// What a principal has at the scope of one resource group.
#[derive(Debug, Clone, Copy)]
pub struct GroupPolicies<'a> {
    /// The resource group.
    pub group: &'a [u8],
    ids: &'a [u8],
}

/// What is said of a principal that is put into a table.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    pub(crate) account: &'a str,
    pub(crate) kind: PrincipalKind,
    pub(crate) name: &'a str,
    pub(crate) uid: Option<&'a str>,
    pub(crate) policies: &'a [PolicyId],
    pub(crate) grouped: &'a [GroupGrants],
}

/// What is granted at the scope of one resource group.
#[derive(Debug)]
pub(crate) struct GroupGrants {
    pub(crate) group: Symbol,
    pub(crate) policies: Box<[PolicyId]>,
}

/// How many bytes the numbers before the texts take.
const HEAD: usize = 6 * 4;

/// The length of a text that is not there.
const NONE: u32 = u32::MAX;

impl<'a> Principal<'a> {
    /// Reads the record that some bytes start with.
    #[inline]
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let ([kind, account, name, uid, ids, grouped], _) = head.as_chunks() else {
            return None;
        };
        let uid = u32::from_le_bytes(*uid);
        let (account, rest) = rest.split_at_checked(length(*account))?;
        let (name, rest) = rest.split_at_checked(length(*name))?;
        let (number, rest) = match uid {
            NONE => (None, rest),
            uid => {
                let (number, rest) = rest.split_at_checked(length(uid.to_le_bytes()))?;
                (Some(number), rest)
            }
        };
        let (ids, rest) = rest.split_at_checked(4 * length(*ids))?;
        Some(Self {
            kind: kind_of(u32::from_le_bytes(*kind))?,
            account,
            name,
            uid: number,
            ids,
            grouped: rest.get(..length(*grouped))?,
        })
    }

    /// What tells it apart from others.
    pub(super) fn identity(&self) -> Identity<'a> {
        Identity {
            account: self.account,
            sort: self.kind.sort(),
            name: self.name,
        }
    }

    /// How many bytes its record has.
    pub(super) fn length(&self) -> usize {
        let texts = self.account.len() + self.name.len() + self.uid.map_or(0, <[u8]>::len);
        HEAD + texts + self.ids.len() + self.grouped.len()
    }

    /// Its number, if it has one.
    pub fn uid(&self) -> Option<&'a [u8]> {
        self.uid
    }

    /// Its policies and its groups' policies at account scope.
    #[inline]
    pub fn policies(&self) -> impl ExactSizeIterator<Item = PolicyId> + use<'a> {
        policies(self.ids)
    }

    /// Whether it has anything at the scope of a resource group.
    #[inline]
    pub fn has_grouped(&self) -> bool {
        !self.grouped.is_empty()
    }

    /// Its policies and its groups' policies at the scope of resource groups.
    pub fn grouped(&self) -> impl Iterator<Item = GroupPolicies<'a>> + use<'a> {
        let mut rest = self.grouped;
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<8>()?;
            let ([group, ids], _) = head.as_chunks() else {
                return None;
            };
            let (group, after) = after.split_at_checked(length(*group))?;
            let (ids, after) = after.split_at_checked(4 * length(*ids))?;
            rest = after;
            Some(GroupPolicies { group, ids })
        })
    }
}

impl<'a> GroupPolicies<'a> {
    /// The policies.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = PolicyId> + use<'a> {
        policies(self.ids)
    }
}

#[inline]
fn policies(ids: &[u8]) -> impl ExactSizeIterator<Item = PolicyId> + '_ {
    let (ids, _) = ids.as_chunks();
    ids.iter().map(|id| PolicyId(u32::from_le_bytes(*id)))
}

impl<'a> Said<'a> {
    /// One that has nothing.
    pub(super) fn bare(account: &'a str, kind: PrincipalKind, name: &'a str) -> Self {
        Self {
            account,
            kind,
            name,
            uid: None,
            policies: &[],
            grouped: &[],
        }
    }

    /// Writes its record behind others.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let grouped = self
            .grouped
            .iter()
            .map(|grants| 2 * 4 + grants.group.len() + 4 * grants.policies.len());
        let uid = self.uid.map_or(NONE, |uid| number(uid.len()));
        let texts = [self.account, self.name, self.uid.unwrap_or_default()];
        for head in [
            code(self.kind),
            number(self.account.len()),
            number(self.name.len()),
            uid,
            number(self.policies.len()),
            number(grouped.sum()),
        ] {
            bytes.extend(head.to_le_bytes());
        }
        bytes.extend(texts.into_iter().flat_map(str::bytes));
        write_ids(bytes, self.policies);
        for GroupGrants { group, policies } in self.grouped {
            bytes.extend(number(group.len()).to_le_bytes());
            bytes.extend(number(policies.len()).to_le_bytes());
            bytes.extend(group.bytes());
            write_ids(bytes, policies);
        }
    }
}

fn write_ids(bytes: &mut Vec<u8>, ids: &[PolicyId]) {
    bytes.extend(ids.iter().flat_map(|id| id.0.to_le_bytes()));
}

fn code(kind: PrincipalKind) -> u32 {
    match kind {
        PrincipalKind::User => 0,
        PrincipalKind::Role(RoleKind::Plain) => 1,
        PrincipalKind::Role(RoleKind::ServiceLinked) => 2,
        PrincipalKind::Role(RoleKind::Sso) => 3,
    }
}

fn kind_of(code: u32) -> Option<PrincipalKind> {
    match code {
        0 => Some(PrincipalKind::User),
        1 => Some(PrincipalKind::Role(RoleKind::Plain)),
        2 => Some(PrincipalKind::Role(RoleKind::ServiceLinked)),
        3 => Some(PrincipalKind::Role(RoleKind::Sso)),
        _ => None,
    }
}

/// INVARIANT: no document is so long that a part of it has more bytes, or a principal more policies.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn length(number: [u8; 4]) -> usize {
    usize::try_from(u32::from_le_bytes(number)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_read_as_it_was_written() {
        let grants = |group: &str, ids: &[u32]| GroupGrants {
            group: group.into(),
            policies: ids.iter().copied().map(PolicyId).collect(),
        };
        let grouped = [grants("rg-1", &[7, 8]), grants("rg-部", &[])];
        let mut bytes = Vec::new();
        for (kind, uid) in [
            (PrincipalKind::User, Some("20")),
            (PrincipalKind::Role(RoleKind::Sso), Some("")),
            (PrincipalKind::Role(RoleKind::ServiceLinked), None),
        ] {
            let said = Said {
                account: "1",
                kind,
                name: "alice",
                uid,
                policies: &[PolicyId(3), PolicyId(u32::MAX - 1)],
                grouped: &grouped,
            };
            let from = bytes.len();
            said.write(&mut bytes);
            let read = Principal::read(&bytes[from..]).unwrap();
            assert_eq!(read.length(), bytes.len() - from);
            assert_eq!((read.kind, read.uid()), (kind, uid.map(str::as_bytes)));
            let Identity { account, name, .. } = read.identity();
            assert_eq!((account, name), (&b"1"[..], &b"alice"[..]));
            assert!(read.policies().eq([3, u32::MAX - 1].map(PolicyId)));
            let groups = read.grouped().map(|one| (one.group, one.policies().len()));
            assert!(groups.eq([(&b"rg-1"[..], 2), ("rg-部".as_bytes(), 0)]));
            for cut in from..bytes.len() {
                assert!(Principal::read(&bytes[from..cut]).is_none(), "{cut}");
            }
        }
    }
}
