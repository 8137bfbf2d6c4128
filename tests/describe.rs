//! `calc list` and `calc describe`, and the text that descriptors become again: protoc, which is
//! not ours, makes the same descriptors of it.

use std::fs;
use std::path::Path;

use calc::proto::calc_batch;
use calc::rpc::reflection::{ReflectionClient, text};
use calc::rpc::{CallOptions, Server, ServiceBuilder};
use protobuf::descriptor::{DescriptorProto, FileDescriptorProto, MethodOptions};
use protobuf::text_format;

use crate::common::process::{ServerProcess, calc, python, run, stdout_of};
use crate::common::protoc::{compile, folder};
use crate::common::{PATIENCE, calculator, channel, start, target};
use crate::protos::kinds;

/// `file` without what says nothing: the order of the messages that fields define, whose place in
/// the text is that of the field.
fn normal(mut file: FileDescriptorProto) -> FileDescriptorProto {
    fn sort(messages: &mut [DescriptorProto]) {
        messages.sort_by(|one, other| one.name().cmp(other.name()));
        messages.iter_mut().for_each(|message| sort(&mut message.nested_type));
    }
    sort(&mut file.message_type);
    file
}

/// The descriptors of texts by their names.
fn compiled(texts: &[(String, String)]) -> Vec<FileDescriptorProto> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in texts {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    compile(folder.path(), &texts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
}

fn texts(files: &[FileDescriptorProto]) -> Vec<(String, String)> {
    files.iter().map(|file| (file.name().to_owned(), text::file(file).unwrap())).collect()
}

/// Asserts that `got` is `expected`, and says where it is not.
fn assert_same(got: &FileDescriptorProto, expected: &FileDescriptorProto) {
    if got == expected {
        return;
    }
    let [got_text, expected_text] = [got, expected].map(|file| text_format::print_to_string_pretty(file));
    for (got, expected) in got_text.lines().zip(expected_text.lines()) {
        assert_eq!(got, expected, "in {got_text}");
    }
    panic!("{got:?} is not {expected:?}");
}

/// Asserts that protoc makes `files` again of what is printed for them.
fn assert_round_trip(files: Vec<FileDescriptorProto>) {
    let texts = texts(&files);
    let mut again = compiled(&texts);
    for file in files {
        let at = again.iter().position(|other| other.name() == file.name()).unwrap();
        let again = again.swap_remove(at);
        assert_same(&normal(again), &normal(file));
    }
}

#[test]
fn protoc_makes_the_same_descriptor_of_what_is_printed() {
    let inputs = ["reflected/proto2.proto", "reflected/edition.proto", "kinds.proto", "google/protobuf/api.proto"];
    let mut files = compile(&folder(), &inputs);
    // Full of options that rust-protobuf knows nothing of.
    files.retain(|file| file.name() != "google/protobuf/descriptor.proto");
    for options in files.iter_mut().filter_map(|file| file.options.as_mut()) {
        // The next test is about these.
        options.special_fields = Default::default();
    }
    assert!(files.len() >= 8, "{}", files.len());
    assert_round_trip(files);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("protos");
    let inputs = ["calc.proto", "calc_batch.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"];
    assert_round_trip(compile(&own, &[&inputs[..], &["grpc/reflection/v1alpha/reflection.proto"]].concat()));
}

#[test]
fn a_custom_option_is_left_out_and_the_text_says_so() {
    let files = compile(&folder(), &["reflected/proto2.proto"]);
    let text = text::file(files.last().unwrap()).unwrap();
    assert_eq!(text.matches("// The custom option 50001 is left out.\n").count(), 1, "{text}");
}

/// What rust-protobuf's parser makes of a file is not quite what protoc makes of it.
#[test]
fn what_is_served_is_what_protoc_makes_of_the_same_files() {
    let server = start(
        Server::builder()
            .service(ServiceBuilder::new("test.Kinds").described_by(kinds::file_descriptor()).build())
            .reflected_file(calc_batch::file_descriptor())
            .reflection(true),
    );
    let client = ReflectionClient::new(channel(&server), CallOptions::default().timeout(PATIENCE));
    let mut files = compile(&folder(), &["kinds.proto"]);
    files.extend(compile(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("protos"),
        &["calc_batch.proto", "grpc/reflection/v1/reflection.proto"],
    ));
    for mut file in files {
        for method in file.service.iter_mut().flat_map(|service| &mut service.method) {
            // protoc's trace of `{}`.
            if method.options.as_ref().is_some_and(|options| *options == MethodOptions::default()) {
                method.options.take();
            }
        }
        let served = client.file(file.name()).unwrap();
        assert_same(&served, &file);
    }
}

fn ask(target: &str, args: &[&str]) -> String {
    stdout_of(calc(args).args(["--timeout", "30", "--target", target]))
}

/// The exit code and standard error of a question that has no answer.
fn refused(target: &str, args: &[&str]) -> (i32, String) {
    let output = run(calc(args).args(["--timeout", "30", "--target", target]));
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn services_methods_and_definitions_are_printed() {
    let server = calculator();
    let target = target(&server);
    assert_eq!(
        ask(&target, &["list"]),
        "calc.BatchCalculator\ncalc.Calculator\ngrpc.channelz.v1.Channelz\ngrpc.health.v1.Health\ngrpc.reflection.v1.ServerReflection\n\
         grpc.reflection.v1alpha.ServerReflection\n"
    );
    assert_eq!(
        ask(&target, &["list", "calc.Calculator"]),
        "calc.Calculator.Add\ncalc.Calculator.Substract\ncalc.Calculator.Multiply\ncalc.Calculator.Divide\n"
    );
    for (name, text) in [
        ("calc.Calculator.Divide", "rpc Divide(.calc.DivideRequest) returns (.calc.DivideReply);\n"),
        (".calc.DivideReply", "message DivideReply {\n  float f1 = 1;\n}\n"),
        ("calc.DivideReply.f1", "float f1 = 1;\n"),
        (
            "grpc.reflection.v1.ServerReflection",
            "service ServerReflection {\n  rpc ServerReflectionInfo(stream .grpc.reflection.v1.ServerReflectionRequest) \
             returns (stream .grpc.reflection.v1.ServerReflectionResponse);\n}\n",
        ),
        // No service has it; statuses do.
        (
            "google.rpc.DebugInfo",
            "message DebugInfo {\n  repeated string stack_entries = 1;\n  string detail = 2;\n}\n",
        ),
    ] {
        assert_eq!(ask(&target, &["describe", name]), text, "{name}");
    }
    assert!(ask(&target, &["describe", "calc.proto"]).starts_with("syntax = \"proto3\";\n\npackage calc;\n\nmessage "));
}

/// Symbols of all kinds, by the text that they have in their file.
#[test]
fn everything_that_has_a_name_can_be_described() {
    let files = compile(&folder(), &["reflected/proto2.proto"]);
    let find = |name: &str| {
        let found = files.iter().find_map(|file| text::symbol(file, name).unwrap());
        found.unwrap_or_else(|| panic!("no {name}"))
    };
    for (name, text) in [
        (
            "test.proto3.Fields.choice",
            "oneof choice {\n  int32 number = 3 [json_name = \"Nummer\"];\n  .test.proto3.Fields.Second second = 4;\n}\n",
        ),
        ("test.proto3.Fields.number", "int32 number = 3 [json_name = \"Nummer\"];\n"),
        ("test.proto3.Fields.maybe", "optional int32 maybe = 2;\n"),
        ("test.proto3.Fields.before", "map<string, .test.proto3.Fields.First> before = 1;\n"),
        ("test.proto3.MINUS", "MINUS = -1;\n"),
        ("test.proto3.Nothing", "service Nothing {}\n"),
        ("test.proto3.Streams.Up", "rpc Up(stream .test.proto3.Fields) returns (.google.protobuf.Timestamp) {}\n"),
        ("test.proto2.TOP", "TOP = 2 [deprecated = true];\n"),
        ("test.proto2.Labels.InChoice", "message InChoice {\n  optional int32 value = 1;\n}\n"),
        ("test.proto2.Labels.inchoice", "group InChoice = 6 {\n  optional int32 value = 1;\n}\n"),
        ("test.proto2.number", "extend .test.proto2.Extended {\n  optional int32 number = 102 [default = 7];\n}\n"),
        (
            "test.proto2.Scope.inscope",
            "extend .test.proto2.Extended {\n  repeated group InScope = 101 {\n    optional int32 value = 1;\n  }\n}\n",
        ),
    ] {
        assert_eq!(find(name), text, "{name}");
    }
}

#[test]
fn what_is_not_there_is_named_and_has_an_exit_code() {
    let server = calculator();
    for (args, reason) in [
        (
            &["describe", "calc.Power"][..],
            "error: the server does not know `calc.Power`: nothing is called `calc.Power`\n",
        ),
        (
            &["describe", "power.proto"],
            "error: the server does not know `power.proto`: there is no file `power.proto`\n",
        ),
        (&["list", "calc.Power"], "error: the server does not know `calc.Power`: nothing is called `calc.Power`\n"),
        (&["list", "calc.AddReply"], "error: `calc.AddReply` is a message, not a service\n"),
    ] {
        assert_eq!(refused(&target(&server), args), (7, reason.to_owned()));
    }
    let silent = start(Server::builder());
    let reason = "error: the server does not offer reflection, neither v1 nor v1alpha\n";
    assert_eq!(refused(&target(&silent), &["list"]), (7, reason.to_owned()));
}

/// It has v1alpha alone.
#[test]
fn a_python_server_is_understood() {
    let services = ["calc.Calculator", "grpc.health.v1.Health"];
    let server = ServerProcess::start(python("tests/python/reflecting_server.py").args(services));
    assert_eq!(ask(server.target(), &["list"]), "calc.Calculator\ngrpc.health.v1.Health\n");
    let health = ask(server.target(), &["describe", "grpc.health.v1.Health.Watch"]);
    assert!(health.ends_with("returns (stream .grpc.health.v1.HealthCheckResponse);\n"), "{health}");
    // protoc has compiled both.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("protos");
    let text = ask(server.target(), &["describe", "calc.proto"]);
    assert_same(&compiled(&[("calc.proto".to_owned(), text)])[0], &compile(&own, &["calc.proto"])[0]);
    let (code, reason) = refused(server.target(), &["describe", "calc.Power"]);
    assert_eq!(code, 7, "{reason}");
    assert!(reason.starts_with("error: the server does not know `calc.Power`: "), "{reason}");
}
