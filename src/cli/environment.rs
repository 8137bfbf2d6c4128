//! What comes from the environment, and what the command line overrides.
//!
//! This needs clap's list of options, which clap 2 keeps in fields that are public but not documented; there
//! will be no other clap 2.

use std::ffi::OsString;

use structopt::clap::{App, ArgMatches};

/// Lets the command line win over the environment, and takes a variable that is empty for one that is not set.
///
/// clap 2 reads a variable also for an option that is given: its value would be checked, and added to a
/// list of values.
pub fn yield_to(args: &[OsString], app: &mut App<'_, '_>) {
    let given: Vec<_> = args.iter().filter_map(|arg| arg.to_str()?.strip_prefix("--")).collect();
    for option in &mut app.p.opts {
        let long = option.s.long.unwrap_or_default();
        let is_empty = matches!(&option.v.env, Some((_, Some(value))) if value.is_empty());
        if is_empty
            || given
                .iter()
                .any(|arg| arg.strip_prefix(long).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
        {
            option.v.env = None;
        }
    }
    for command in &mut app.p.subcommands {
        yield_to(args, command);
    }
}

/// The variables from which the options come that `message` names, for who did not write them.
pub fn sources(message: &str, app: &App<'_, '_>) -> String {
    let mut text = String::new();
    for option in &app.p.opts {
        let long = format!("--{}", option.s.long.unwrap_or_default());
        let is_named = message.match_indices(&long).any(|(start, _)| {
            !message[start + long.len()..].starts_with(|next: char| next == '-' || next.is_alphanumeric())
        });
        if let (true, Some((variable, Some(_)))) = (is_named, &option.v.env) {
            text += &format!("\n{long} comes from the environment variable {}", variable.to_string_lossy());
        }
    }
    text
}

/// What is in force for the command that `app` describes and `matches` holds, an option on each line, and
/// where it comes from. `computed` names what stands for an option without a value.
pub fn in_force(app: &App<'_, '_>, matches: &ArgMatches<'_>, computed: &[(&str, String)]) -> String {
    let mut text = String::new();
    for option in &app.p.opts {
        let long = option.s.long.unwrap_or_default();
        let name = option.b.name;
        let values = matches.values_of_lossy(name).map(|values| values.join(","));
        let (value, source) = match (values, &option.v.env) {
            (Some(value), _) if matches.occurrences_of(name) > 0 => (value, "command line".to_owned()),
            (Some(value), Some((variable, Some(_)))) => (value, format!("environment, {}", variable.to_string_lossy())),
            (Some(value), _) => (value, "default".to_owned()),
            (None, _) => {
                let computed = computed.iter().find(|(option, _)| *option == long);
                (computed.map_or("none", |(_, value)| value).to_owned(), "default".to_owned())
            }
        };
        text += &format!("{:<42} # {source}\n", format!("--{long}={value}"));
    }
    text
}
