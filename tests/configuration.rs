//! The configuration of `calc serve`: its sources, `--print-config` and `--check`.

use std::net::TcpListener;

use crate::common::process::{ServerProcess, calc, run, stdout_of};

fn print_config(args: &[&str], environment: &[(&str, &str)]) -> String {
    stdout_of(calc(&["serve", "--print-config"]).args(args).envs(environment.iter().copied()))
}

#[test]
fn each_value_in_effect_has_its_source() {
    let environment = [("CALC_GRACE", "3"), ("CALC_MAX_DEADLINE", "none"), ("CALC_LISTEN", "127.0.0.1:1,unix:b")];
    let config = print_config(&["--max-deadline=60", "--queues", "7"], &environment);
    for line in [
        "--listen=127.0.0.1:1,unix:b                # environment, CALC_LISTEN",
        "--queues=7                                 # command line",
        "--grace=3                                  # environment, CALC_GRACE",
        "--max-deadline=60                          # command line",
        "--max-request-bytes=4194304                # default",
        "--drain-delay=0                            # default",
    ] {
        assert!(config.lines().any(|other| other == line), "{line}: {config}");
    }
}

#[test]
fn every_option_is_printed_and_can_be_given_as_printed() {
    let config = print_config(&[], &[]);
    let help = stdout_of(&mut calc(&["serve", "--help"]));
    let options = help.lines().filter_map(|line| line.trim().strip_prefix("--")).filter(|line| line.contains(" <"));
    let mut count = 0;
    for option in options {
        let name = option.split(' ').next().unwrap();
        assert!(config.contains(&format!("--{name}=")), "{name}: {config}");
        count += 1;
    }
    assert!(count > 15 && config.lines().count() == count, "{help}{config}");
    let given: Vec<_> = config.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let given: Vec<_> = given.into_iter().filter(|option| !option.ends_with("=none")).collect();
    let again = print_config(&given, &[]);
    assert_eq!(again.replace("command line", "default"), config);
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let environment = [("CALC_LISTEN", "127.0.0.2:0"), ("CALC_GRACE", "soon")];
    let server = ServerProcess::start(calc(&["serve", "--listen=127.0.0.1:0", "--grace", "1"]).envs(environment));
    assert_eq!(server.targets.len(), 1, "{:?}", server.targets);
    assert!(server.target().starts_with("127.0.0.1:"));
}

#[test]
fn a_check_does_not_listen() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let checked = stdout_of(&mut calc(&["serve", "--check", "--listen", &address]));
    assert_eq!(checked, "the configuration is valid\n");
}

#[test]
fn a_check_finds_the_errors_of_a_start() {
    for (args, message) in [
        (&["--max-concurrent-streams=0"][..], "not a number from 1 to 2147483647"),
        (&["--keepalive-time=2147484"], "not a number of seconds from 0.001 to 2147483.646"),
        (&["--max-deadline=never"], "not a number of seconds from 0.001 to 2147483.646, or `none`"),
        (&["--memory-quota=1000"], "not a number of bytes from 1048576"),
        (&["--compression=brotli"], "not one of off, gzip, deflate"),
        (&["--metrics=unix:/nowhere"], "--metrics takes no Unix socket"),
        (&["--max-request-bytes=3000000000"], "not a number of bytes from 1 to 2147483647"),
    ] {
        for check in [&["serve", "--check"][..], &["serve"]] {
            let output = run(calc(check).args(args));
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code() == Some(2) && stderr.contains(message), "{args:?}: {output:?}");
        }
    }
}

#[test]
fn a_wrong_variable_is_in_the_error() {
    for (variable, value, message) in [
        ("CALC_GRACE", "soon", "--grace comes from the environment variable CALC_GRACE"),
        ("CALC_TLS_CERT", "/x", "--tls-cert comes from the environment variable CALC_TLS_CERT"),
    ] {
        let output = run(calc(&["serve", "--check"]).env(variable, value));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(message), "{output:?}");
    }
    // Another variable is not.
    let output = run(calc(&["serve", "--check", "--grace=soon"]).env("CALC_QUEUES", "2"));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("CALC_"), "{output:?}");
}

#[test]
fn an_error_does_not_list_all_options() {
    let output = run(&mut calc(&["serve", "--grace", "1", "--grace", "2"]));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("more than once") && stderr.len() < 200, "{stderr}");
}

/// Returns the options of a command that take a value, each with its variable.
fn options(command: &str) -> Vec<(String, String)> {
    let help = stdout_of(&mut calc(&[command, "--help"]));
    let option = |part: &str| {
        let name = part.split([' ', '\n']).next().unwrap();
        let (_, variable) = part.split_once("[env:")?;
        Some((format!("--{name}"), variable.split(']').next().unwrap().trim().to_owned()))
    };
    help.split("\n        --").skip(1).filter_map(option).collect()
}

/// Empty variables counted as unset: `CALC_TLS_CERT= CALC_TLS_KEY= CALC_TOKEN_FILE=` started a server without TLS and
/// without tokens.
#[test]
fn an_empty_value_is_an_error_whether_it_is_a_flag_or_a_variable() {
    for (command, operands, minimum) in [("serve", &["--check"][..], 30), ("add", &["20", "10"], 8)] {
        let options = options(command);
        assert!(options.len() >= minimum, "{command}: {options:?}");
        for (flag, variable) in options {
            let mut by_flag = calc(&[command]);
            by_flag.args([&flag, ""]);
            let mut by_variable = calc(&[command]);
            by_variable.env(&variable, "");
            let remedy = format!("{flag} comes from the environment variable {variable}, which is empty; unset it");
            for (calc, message) in [(&mut by_flag, &flag), (&mut by_variable, &remedy)] {
                let output = run(calc.args(operands));
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.code() == Some(2) && stderr.contains(message), "{flag}: {output:?}");
            }
        }
    }
}

#[test]
fn an_empty_variable_does_not_matter_to_another_command_nor_beside_its_flag() {
    let checked = stdout_of(calc(&["serve", "--check"]).env("CALC_CLIENT_TLS_CA", ""));
    assert_eq!(checked, "the configuration is valid\n");
    let checked = stdout_of(calc(&["serve", "--check", "--grace=1"]).env("CALC_GRACE", ""));
    assert_eq!(checked, "the configuration is valid\n");
    assert!(stdout_of(calc(&["serve", "--help"]).env("CALC_TLS_CERT", "")).contains("--tls-cert"));
}
