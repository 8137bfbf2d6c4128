//! The files from which packages and images are made. `script/package --test` installs them.

use std::fs;
use std::process::Command;

use crate::common::process::{calc, stdout_of};
use crate::common::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn an_instance_differs_from_the_service_in_its_addresses_only() {
    let service = read("deploy/systemd/calc.service");
    let instance = read("deploy/systemd/calc@.service");
    let added: Vec<_> = instance.lines().filter(|line| !service.lines().any(|other| other == *line)).collect();
    assert_eq!(
        added,
        [
            "Description=Calculator over gRPC, instance %i",
            "# What differs between instances: their addresses.",
            "EnvironmentFile=/etc/calc/%i.environment",
            "RuntimeDirectory=calc-%i",
        ]
    );
    assert_eq!(instance.lines().count(), service.lines().count() + 2);
}

#[test]
fn the_environment_of_the_package_has_variables_of_calc_serve() {
    // Its lines are wrapped.
    let help = stdout_of(&mut calc(&["serve", "--help"])).split_whitespace().collect::<Vec<_>>().join(" ");
    let environment = read("deploy/systemd/environment");
    let variables: Vec<_> = environment
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(variable, _)| variable)
        .collect();
    assert!(variables.contains(&"CALC_LISTEN"), "{variables:?}");
    for variable in variables {
        assert!(help.contains(&format!("[env: {variable}]")), "{variable}");
    }
}

#[test]
fn the_containerfile_passes_a_linter() {
    let python = std::env::var("CALC_PYTHON").expect("CALC_PYTHON is not set; script/test sets Python up");
    let hadolint = root().join(python).with_file_name("hadolint");
    assert_eq!(stdout_of(Command::new(hadolint).arg(root().join("Containerfile"))), "");
}
