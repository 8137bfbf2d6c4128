//! Options from the environment, and which source each value in effect has.
//!
//! clap 2 keeps its list of options in public fields that it does not document; there will be no other clap 2.

use std::ffi::OsString;

use structopt::clap::{App, ArgMatches, ArgSettings};

/// Makes the command line win over the environment, and an empty value of either an error: an empty `CALC_TLS_CERT` must
/// not start a server without TLS.
///
/// clap 2 would read the variable of an option that is given too: it would check the value, and append it to a list.
pub fn prepare(args: &[OsString], app: &mut App<'_, '_>) {
    let given: Vec<_> = args.iter().filter_map(|arg| arg.to_str()?.strip_prefix("--")).collect();
    for option in &mut app.p.opts {
        let long = option.s.long.unwrap_or_default();
        let is_given = given.iter().any(|arg| arg.split('=').next() == Some(long));
        if is_given {
            option.v.env = None;
        }
        option.b.unset(ArgSettings::EmptyValues);
        // Help shows the variable's name, not its value.
        option.b.set(ArgSettings::HideEnvValues);
    }
    for command in &mut app.p.subcommands {
        prepare(args, command);
    }
}

/// Returns the subcommand of `app` that has this name or alias.
pub fn subcommand<'a, 'b, 'c>(app: &'c App<'a, 'b>, name: &str) -> Option<&'c App<'a, 'b>> {
    let aliases = |command: &App<'_, '_>| command.p.meta.aliases.iter().flatten().any(|(alias, _)| *alias == name);
    app.p.subcommands.iter().find(|command| command.get_name() == name || aliases(command))
}

/// Returns a line for each option that `message` names and the environment sets.
pub fn sources(message: &str, command: &App<'_, '_>) -> String {
    let mut text = String::new();
    for option in &command.p.opts {
        let long = format!("--{}", option.s.long.unwrap_or_default());
        let is_named = message.match_indices(&long).any(|(start, _)| {
            !message[start + long.len()..].starts_with(|next: char| next == '-' || next.is_alphanumeric())
        });
        if let (true, Some((variable, Some(value)))) = (is_named, &option.v.env) {
            let remedy = if value.is_empty() { ", which is empty; unset it, or set it to a value" } else { "" };
            text += &format!("\n{long} comes from the environment variable {}{remedy}", variable.to_string_lossy());
        }
    }
    text
}

/// Returns a line for each option of `command`: its value in effect and the value's source. `computed` has the
/// defaults that depend on the machine or on other options.
pub fn in_effect(command: &App<'_, '_>, matches: &ArgMatches<'_>, computed: &[(&str, String)]) -> String {
    let mut text = String::new();
    for option in &command.p.opts {
        let long = option.s.long.unwrap_or_default();
        let name = option.b.name;
        let source = match &option.v.env {
            _ if matches.occurrences_of(name) > 0 => "command line".to_owned(),
            Some((variable, Some(_))) => format!("environment, {}", variable.to_string_lossy()),
            _ => "default".to_owned(),
        };
        let value = matches.values_of_lossy(name).map(|values| values.join(",")).unwrap_or_else(|| {
            let computed = computed.iter().find(|(option, _)| *option == long);
            computed.map_or("none", |(_, value)| value).to_owned()
        });
        text += &format!("{:<42} # {source}\n", format!("--{long}={value}"));
    }
    text
}
