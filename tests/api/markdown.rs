//! Descriptors as Markdown.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, ServiceDescriptorProto,
};

const PACKAGE: &str = "tagwarden.v1";
const HEAD: &str = "# API\n\n\
    Made from the comments of `proto/tagwarden/v1` by a test; \
    `UPDATE_GOLDEN=1 cargo test --test main api` renews it. A deny is an answer; errors and how to \
    treat them are told with each service, and by name at the end.\n";

// The numbers of the fields that descriptors have these in.
const MESSAGE: i32 = 4;
const ENUM: i32 = 5;
const SERVICE: i32 = 6;
const PART: i32 = 2;

/// The whole document, with an index of some reasons.
pub(super) fn document(descriptors: &FileDescriptorSet, made: &BTreeSet<String>) -> String {
    let files: Vec<File<'_>> = files(descriptors).collect();
    let mut written = HEAD.to_owned();
    for file in &files {
        for (place, service) in file.proto.service.iter().enumerate() {
            file.service(&mut written, index(place), service);
        }
    }
    for file in &files {
        let name = file.proto.name().rsplit('/').next().unwrap();
        let _ = write!(written, "\n## {name}\n");
        file.paragraphs(&mut written, &[12]);
        for (place, message) in file.proto.message_type.iter().enumerate() {
            file.message(&mut written, index(place), message);
        }
        for (place, sort) in file.proto.enum_type.iter().enumerate() {
            file.sort(&mut written, index(place), sort);
        }
    }
    written
        .push_str("\n## Reasons\n\n`reason` of `google.rpc.ErrorInfo`, with domain `tagwarden`.\n");
    written.push_str("\n| reason | named at |\n|---|---|\n");
    for (reason, places) in reasons(descriptors) {
        if !made.contains(&reason) {
            continue;
        }
        let places: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
        let _ = writeln!(written, "| `{reason}` | {} |", places.join(", "));
    }
    written
}

/// Every reason that comments name, with the places that do.
pub(super) fn reasons(descriptors: &FileDescriptorSet) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(descriptors) {
        let values = file.proto.enum_type.iter().flat_map(|sort| &sort.value);
        let values: Vec<&str> = values.map(EnumValueDescriptorProto::name).collect();
        for (path, comment) in &file.comments {
            let quoted = comment.split('`').skip(1).step_by(2);
            for text in quoted.filter(|text| is_reason(text) && !values.contains(text)) {
                let place = file.name_of(path);
                found.entry(text.to_owned()).or_default().insert(place);
            }
        }
    }
    found
}

/// Whether a text has the form of a reason. gRPC's codes have it too.
pub(super) fn is_reason(text: &str) -> bool {
    let is_upper = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    text.len() > 6
        && text.contains(|letter: char| letter.is_ascii_uppercase())
        && text.chars().all(is_upper)
}

fn index(place: usize) -> i32 {
    i32::try_from(place).unwrap()
}

fn files(descriptors: &FileDescriptorSet) -> impl Iterator<Item = File<'_>> {
    let ours = descriptors.file.iter();
    ours.filter(|file| file.package() == PACKAGE).map(|proto| {
        let info = proto.source_code_info.as_ref().unwrap();
        let comments = info.location.iter().filter_map(|location| {
            let comment = location.leading_comments.as_deref()?;
            Some((location.path.as_slice(), comment))
        });
        File {
            proto,
            comments: comments.collect(),
        }
    })
}

struct File<'d> {
    proto: &'d FileDescriptorProto,
    comments: HashMap<&'d [i32], &'d str>,
}

impl File<'_> {
    /// The comment at a path: its paragraphs and lists, without the space before each line.
    fn paragraphs(&self, written: &mut String, path: &[i32]) {
        let comment = self.comments.get(path).copied().unwrap_or_default();
        let mut lines = String::new();
        for line in comment.lines() {
            let line = line.trim();
            if line.is_empty() {
                lines.push_str("\n\n");
            } else if line.starts_with("- ") {
                let _ = write!(lines, "\n{line}");
            } else {
                let joint = if lines.is_empty() || lines.ends_with('\n') {
                    ""
                } else {
                    " "
                };
                let _ = write!(lines, "{joint}{line}");
            }
        }
        let _ = write!(written, "\n{}\n", lines.trim());
    }

    /// The comment at a path as the cell of a table.
    fn cell(&self, path: &[i32]) -> String {
        let comment = self.comments.get(path).copied().unwrap_or_default();
        let lines: Vec<&str> = comment.lines().map(str::trim).collect();
        let text = lines.join(" ").replace("  ", " ");
        text.trim().replace('|', "\\|")
    }

    fn service(&self, written: &mut String, place: i32, service: &ServiceDescriptorProto) {
        let _ = write!(written, "\n## {}\n", service.name());
        self.paragraphs(written, &[SERVICE, place]);
        for (number, method) in service.method.iter().enumerate() {
            let stream = |streams: bool| if streams { "stream of " } else { "" };
            let _ = write!(
                written,
                "\n### {}\n\n{}[{input}](#{}) → {}[{output}](#{})\n",
                method.name(),
                stream(method.client_streaming()),
                short(method.input_type()).to_lowercase(),
                stream(method.server_streaming()),
                short(method.output_type()).to_lowercase(),
                input = short(method.input_type()),
                output = short(method.output_type()),
            );
            self.paragraphs(written, &[SERVICE, place, PART, index(number)]);
        }
    }

    fn message(&self, written: &mut String, place: i32, message: &DescriptorProto) {
        let _ = write!(written, "\n### {}\n", message.name());
        self.paragraphs(written, &[MESSAGE, place]);
        if message.field.is_empty() {
            return;
        }
        written.push_str("\n| field | number | type | meaning |\n|---|---|---|---|\n");
        for (number, field) in message.field.iter().enumerate() {
            let choice = field.oneof_index.map(|choice| {
                let name = message.oneof_decl[usize::try_from(choice).unwrap()].name();
                format!("of `{name}`: ")
            });
            let _ = writeln!(
                written,
                "| `{}` | {} | {} | {}{} |",
                field.name(),
                field.number(),
                kind(field),
                choice.unwrap_or_default(),
                self.cell(&[MESSAGE, place, PART, index(number)]),
            );
        }
        for (number, choice) in message.oneof_decl.iter().enumerate() {
            let said = self.cell(&[MESSAGE, place, 8, index(number)]);
            let _ = write!(written, "\n`{}`: {said}\n", choice.name());
        }
    }

    fn sort(&self, written: &mut String, place: i32, sort: &EnumDescriptorProto) {
        let _ = write!(written, "\n### {}\n", sort.name());
        self.paragraphs(written, &[ENUM, place]);
        written.push_str("\n| value | number | meaning |\n|---|---|---|\n");
        for (number, value) in sort.value.iter().enumerate() {
            let said = self.cell(&[ENUM, place, PART, index(number)]);
            let _ = writeln!(
                written,
                "| `{}` | {} | {said} |",
                value.name(),
                value.number()
            );
        }
    }

    /// The name of what stands at a path.
    fn name_of(&self, path: &[i32]) -> String {
        let at = |place: i32| usize::try_from(place).unwrap();
        match *path {
            [SERVICE, place] => self.proto.service[at(place)].name().to_owned(),
            [SERVICE, place, PART, number] => {
                let service = &self.proto.service[at(place)];
                format!("{}.{}", service.name(), service.method[at(number)].name())
            }
            [MESSAGE, place] => self.proto.message_type[at(place)].name().to_owned(),
            [MESSAGE, place, part, number] => {
                let message = &self.proto.message_type[at(place)];
                let name = match part {
                    PART => message.field[at(number)].name(),
                    _ => message.oneof_decl[at(number)].name(),
                };
                format!("{}.{name}", message.name())
            }
            [ENUM, place, ..] => self.proto.enum_type[at(place)].name().to_owned(),
            _ => self.proto.name().to_owned(),
        }
    }
}

/// The type of a field; one of ours leads to its heading.
fn kind(field: &FieldDescriptorProto) -> String {
    let many = if field.label() == Label::Repeated {
        "repeated "
    } else {
        ""
    };
    let name = short(field.type_name());
    let is_ours = field.type_name().starts_with(&format!(".{PACKAGE}."));
    let scalar = field.r#type();
    let kind = if !matches!(scalar, Type::Message | Type::Enum) {
        format!("{scalar:?}").to_lowercase()
    } else if is_ours {
        format!("[{name}](#{})", name.to_lowercase())
    } else {
        field.type_name().trim_start_matches('.').to_owned()
    };
    format!("{many}{kind}")
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
