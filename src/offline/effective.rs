//! An effective tag policy as a tree for people: statements, settings, values, and who said so.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::model::organization::TagMode;
use crate::model::tag_policy::{
    Cell, CellProvenance, EffectiveStatement, Fit, ListSetting, Lock, Note, NoteKind, Origin,
    Setting, Weakening,
};
use crate::snapshot::tags::{Staged, TagNode, TagTable};

/// The tree, a line for each thing.
pub fn tree(node: &TagNode, mode: TagMode) -> String {
    let staged = node.policies.of(mode);
    let mut tree = Tree {
        path: node.path(),
        staged,
        text: String::new(),
    };
    tree.head(node, mode);
    for statement in &staged.policy.statements {
        tree.statement(statement);
    }
    if staged.policy.statements.is_empty() {
        tree.line(1, "nothing is asked of tags");
    }
    tree.loose_notes();
    tree.text
}

/// All that is to be told of the chains of a snapshot: a code and a line for each, where it is done.
pub fn notes(table: &TagTable) -> BTreeSet<(&'static str, String)> {
    let mut told = BTreeSet::new();
    for node in table.nodes() {
        let path = node.path();
        for mode in [TagMode::Enforce, TagMode::Warn, TagMode::Report] {
            let staged = node.policies.of(mode);
            let tree = Tree {
                path: path.clone(),
                staged,
                text: String::new(),
            };
            for note in &staged.provenance.notes {
                if is_told_at(note, path.len()) {
                    let (section, key) = (note.cell.section.as_str(), &note.cell.key);
                    let line = tree.told(note);
                    let line = format!("{}: {section} {key} {line}", node.organization);
                    told.insert((note.kind.code(), line));
                }
            }
        }
    }
    told
}

/// Whether a note is told at a node of this depth: where it is done, and not below again. What a
/// chain comes to by what nodes below do is told everywhere, once for all.
fn is_told_at(note: &Note, depth: usize) -> bool {
    match (&note.kind, &note.by) {
        (NoteKind::TargetNotAllowed(_), _) | (_, None) => true,
        (_, Some(by)) => by.depth + 1 == depth,
    }
}

struct Tree<'t> {
    path: Vec<&'t str>,
    staged: &'t Staged,
    text: String,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(self.text, "{:1$}{text}", "", depth * 2);
    }

    fn head(&mut self, node: &TagNode, mode: TagMode) {
        let stage = match mode {
            TagMode::Enforce => "enforce",
            TagMode::Warn => "warn",
            TagMode::Report => "report",
        };
        let path = self.path.join(" / ");
        let dialect = self.staged.policy.dialect;
        let head = format!("{}: {path} ({dialect}, stage {stage})", node.organization);
        self.line(0, &head);
    }

    fn statement(&mut self, statement: &EffectiveStatement) {
        let mut head = format!("{} {}", statement.section.as_str(), statement.key);
        match statement.fit {
            Fit::Whole => {}
            Fit::OverLimit => head.push_str(" (over a limit: every write is intercepted)"),
        }
        self.line(1, &head);
        let is_here = |cell: &Cell| cell.section == statement.section && cell.key == statement.key;
        let provenance = &self.staged.provenance;
        let cells: Vec<_> = provenance
            .cells
            .iter()
            .filter(|one| is_here(&one.cell))
            .collect();
        if !cells.iter().any(|one| one.cell.setting == Setting::TagKey) {
            let default = format!("tag_key: {} (the policy key)", statement.tag_key);
            self.line(2, &default);
        }
        for one in cells {
            self.cell(one);
        }
        for note in provenance.notes.iter().filter(|note| is_here(&note.cell)) {
            self.note(note);
        }
    }

    fn cell(&mut self, one: &CellProvenance) {
        let name = one.cell.setting.as_str();
        match one.cell.setting {
            Setting::TagKey | Setting::TagValueCorrection => {
                for (value, by) in &one.values {
                    let line = format!("{name}: {value}{}", self.by(by));
                    self.line(2, &line);
                }
            }
            Setting::List(setting) => {
                let head = match (one.values.is_empty(), setting) {
                    (false, _) => format!("{name}:"),
                    (true, ListSetting::TagValue) => format!("{name}: none is allowed"),
                    (true, _) => format!("{name}: none"),
                };
                self.line(2, &head);
                for (value, by) in &one.values {
                    let line = format!("{}{}", shown(value), self.by(by));
                    self.line(3, &line);
                }
                for (value, by) in &one.removed {
                    let line = format!("without {}{}", shown(value), self.by(by));
                    self.line(3, &line);
                }
            }
        }
    }

    fn note(&mut self, note: &Note) {
        let line = format!("! {}", self.told(note));
        self.line(2, &line);
    }

    fn told(&self, note: &Note) -> String {
        let setting = note.cell.setting.as_str();
        let by = note.by.as_ref().map(|by| self.by(by)).unwrap_or_default();
        format!("{setting}{by}: {}", self.kind(&note.kind))
    }

    /// Notes on statements that nobody's value made.
    fn loose_notes(&mut self) {
        let statements = &self.staged.policy.statements;
        let is_shown = |cell: &Cell| {
            let mut all = statements.iter();
            all.any(|one| one.section == cell.section && one.key == cell.key)
        };
        let notes = &self.staged.provenance.notes;
        for note in notes.iter().filter(|note| !is_shown(&note.cell)) {
            self.note(note);
        }
    }

    fn by(&self, by: &Origin) -> String {
        let node = self.node(by.depth);
        format!("  <- {} of {} at {node}", by.operator, by.policy)
    }

    fn node(&self, depth: usize) -> &str {
        self.path.get(depth).copied().unwrap_or("?")
    }

    fn locks(&self, locks: &[Lock]) -> String {
        let lock = |lock: &Lock| {
            let (setting, node) = (lock.setting.as_str(), self.node(lock.depth));
            format!("{setting} of {} at {node}", lock.policy)
        };
        locks.iter().map(lock).collect::<Vec<_>>().join(", ")
    }

    fn kind(&self, kind: &NoteKind) -> String {
        match kind {
            NoteKind::Locked(locks) => format!("forbidden by {}", self.locks(locks)),
            NoteKind::ScopeUnderLock(locks) => {
                format!("no new scope in a locked statement: {}", self.locks(locks))
            }
            NoteKind::EmptyScope => "an empty list for a scope that is not set is refused".into(),
            NoteKind::OverLimit {
                limit,
                contributors,
            } => {
                let all: Vec<String> = contributors.iter().map(|by| self.by(by)).collect();
                let all = all.join(",");
                format!("left out: more than {} {}:{all}", limit.most, limit.what)
            }
            NoteKind::PeerAssigned(by) => {
                format!("has no effect: {} assigned another value first", by.policy)
            }
            NoteKind::PeerRemoved(by) => format!("takes away what {} set", by.policy),
            NoteKind::Weakened(Weakening::AnyValue) => "weakens: every value is allowed".into(),
            NoteKind::Weakened(Weakening::TagKey) => "weakens: another tag key".into(),
            NoteKind::Weakened(Weakening::Emptied(_)) => "weakens: nothing is left".into(),
            NoteKind::TargetNotAllowed(value) => {
                format!(
                    "never writes {}: `tag_value` does not list it",
                    shown(value)
                )
            }
            NoteKind::Inert => "no expression is set: nothing is asked".into(),
        }
    }
}

/// An empty value, and one with outer blanks, would not be seen.
fn shown(value: &str) -> String {
    if value.is_empty() {
        "\"\"".to_owned()
    } else {
        value.to_owned()
    }
}
