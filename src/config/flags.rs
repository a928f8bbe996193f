//! The layer of flags: made from the table, and no other flags.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::setting::{Kind, SECTIONS, SETTINGS, Setting};
use super::{Given, Layer, Origin, Text};

/// What flags tell.
#[derive(Debug, Clone, Default)]
pub struct Flags(pub Layer);

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = SETTINGS.into_iter().filter_map(|setting| {
            let texts = matches.get_many::<String>(setting.flag)?;
            let texts = texts.map(|text| Text {
                text: text.clone(),
                origin: Origin::Flag(setting.flag),
            });
            Some(Given {
                setting,
                texts: texts.collect(),
            })
        });
        Ok(Self(Layer(given.collect())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let mut help = format!("{} [env: {}]", setting.help, setting.variable());
    if let Some(default) = setting.default {
        help = format!("{help} [default: {default}]");
    }
    let heading = SECTIONS
        .into_iter()
        .find(|(name, _)| *name == setting.section);
    let argument = Arg::new(setting.flag)
        .long(setting.flag)
        .value_name(setting.value)
        .help(help)
        .help_heading(heading.map(|(_, heading)| heading));
    match setting.kind {
        Kind::List => argument.action(ArgAction::Append),
        Kind::Text | Kind::Whole { .. } | Kind::Word(_) => argument.action(ArgAction::Set),
    }
}
