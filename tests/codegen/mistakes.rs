//! A mistake in a `.proto` file is reported with its file, its line and a reason.

use super::{Protos, mistake};

#[test]
fn a_syntax_error_names_its_place_and_what_is_there() {
    assert_eq!(mistake("message A {\n  int32 a = 1\n}\n"), "protos/a.proto:5:1: expected ';' or '[', but found '}'");
    assert_eq!(
        mistake("service S {\n  rpc Add(A) retuns (A);\n}\n"),
        "protos/a.proto:4:14: expected 'returns', but found 'retuns'"
    );
    assert_eq!(
        mistake("message A {"),
        "protos/a.proto:3:12: expected a message field, oneof, reserved range, enum, message, option or '}', \
         but reached end of file"
    );
    assert_eq!(mistake("\n /* open\n*"), "protos/a.proto:4:2: expected comment terminator, but reached end of file");
}

#[test]
fn an_unknown_type_names_the_line_that_uses_it() {
    assert_eq!(
        mistake("message A {\n  // Foo\n  int32 Foo = 1;\n  Foo a = 2;\n}\n"),
        "protos/a.proto:6:3: 't.A.Foo' is not a message or enum type (line 5: defined here)"
    );
    assert_eq!(
        mistake("service S {\n  rpc Add(A.B) returns (A.C);\n}\nmessage A { message B {} }\n"),
        "protos/a.proto:4:25: 'A.C' resolves to 't.A.C', which is not defined; The innermost scope is searched first in \
         name resolution. Consider using a leading '.' (i.e., '.A.C') to start from the outermost scope."
    );
    assert_eq!(mistake("message A {\n  .t.Foo a = 1;\n}\n"), "protos/a.proto:4:3: name '.t.Foo' is not defined");
}

/// The first `Inner` is known where it stands.
#[test]
fn an_unknown_type_is_looked_for_in_its_scope() {
    let contents = "message A {\n  message Inner {}\n  Inner a = 1;\n}\nmessage B {\n  Inner b = 1;\n}\n";
    assert!(mistake(contents).starts_with("protos/a.proto:8:3: "), "{}", mistake(contents));
}

#[test]
fn an_enum_is_no_request() {
    assert_eq!(
        mistake("enum E { ZERO = 0; }\nservice S {\n  rpc Add(E) returns (A);\n}\nmessage A {}\n"),
        "protos/a.proto:5:11: 't.E' is not a message type (line 3: defined here)"
    );
}

#[test]
fn a_missing_import_names_its_line() {
    assert_eq!(
        mistake("import \"google/protobuf/any.proto\";\nimport \"no.proto\";\n"),
        "protos/a.proto:4:1: `no.proto` is imported, but is not in the folder protos"
    );
}

#[test]
fn an_import_that_is_not_an_input_is_reported() {
    let protos =
        Protos::new(&[("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";"), ("b.proto", "syntax = \"proto3\";")]);
    assert_eq!(
        protos.generate(&["a.proto"]).unwrap_err(),
        ["protos/a.proto:2:1: `b.proto` is imported, but no code is generated for it: \
          add it to the files of this module in build.rs"]
    );
    protos.generate(&["a.proto", "b.proto"]).unwrap();
}

/// Without a check, it would overflow the stack.
#[test]
fn files_that_import_each_other_are_reported() {
    let protos = Protos::new(&[
        ("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";"),
        ("b.proto", "syntax = \"proto3\";\n\nimport \"a.proto\";"),
    ]);
    assert_eq!(
        protos.generate(&["a.proto", "b.proto"]).unwrap_err(),
        ["protos/b.proto:3:1: `a.proto` imports itself, through this import"]
    );
}

#[test]
fn a_missing_input_is_reported() {
    let mistakes = Protos::new(&[]).generate(&["a.proto"]).unwrap_err();
    assert!(mistakes[0].starts_with("protos/a.proto:1: cannot read protos/a.proto: "), "{mistakes:?}");
}

#[test]
fn a_mistake_in_an_imported_file_names_that_file() {
    let protos = Protos::new(&[
        ("a.proto", "syntax = \"proto3\";\nimport \"dir/b.proto\";"),
        ("dir/b.proto", "syntax = \"proto3\";\nmessage B { Foo foo = 1; }"),
    ]);
    let mistakes = protos.generate(&["a.proto", "dir/b.proto"]).unwrap_err();
    assert_eq!(mistakes, ["protos/dir/b.proto:2:13: name 'Foo' is not defined"]);
}

#[test]
fn inputs_with_the_same_base_name_are_reported() {
    let empty = "syntax = \"proto3\";";
    let protos = Protos::new(&[("x/a.proto", empty), ("y/a.proto", empty)]);
    assert_eq!(
        protos.generate(&["x/a.proto", "y/a.proto"]).unwrap_err(),
        ["protos/y/a.proto:1: its Rust module `a` is also that of protos/x/a.proto: rename one"]
    );
}

#[test]
fn a_file_named_like_the_services_of_another_is_reported() {
    let service = "syntax = \"proto3\";\nservice S {}";
    let protos = Protos::new(&[("a.proto", service), ("a_grpc.proto", "syntax = \"proto3\";")]);
    assert_eq!(
        protos.generate(&["a.proto", "a_grpc.proto"]).unwrap_err(),
        ["protos/a_grpc.proto:1: its Rust module `a_grpc` is also that of protos/a.proto: rename one"]
    );
}

/// The services of the one were written over the messages of the other.
#[test]
fn a_file_whose_services_are_named_like_an_earlier_file_is_reported() {
    let service = "syntax = \"proto3\";\nservice S {}";
    let protos = Protos::new(&[("a.proto", service), ("a_grpc.proto", "syntax = \"proto3\";")]);
    assert_eq!(
        protos.generate(&["a_grpc.proto", "a.proto"]).unwrap_err(),
        ["protos/a.proto:1: its Rust module `a_grpc` is also that of protos/a_grpc.proto: rename one"]
    );
}

#[test]
fn methods_that_have_the_same_name_in_rust_are_reported() {
    assert_eq!(
        mistake("message A {}\nservice S {\n  rpc DoIt(A) returns (A);\n  rpc doIt(A) returns (A);\n}\n"),
        "protos/a.proto:6:7: `t.S.DoIt` and `t.S.doIt` both become `do_it` in Rust"
    );
}

#[test]
fn services_that_have_the_same_name_in_rust_are_reported() {
    assert_eq!(
        mistake("service Foo {}\nservice FooClient {}\n"),
        "protos/a.proto:4:9: `t.Foo` and `t.FooClient` both become `FooClient` in Rust"
    );
    let methods = "{ rpc Add(A) returns (A); }";
    assert_eq!(
        mistake(&format!("message A {{}}\nservice Foo {methods}\nservice FooAsync {{}}\n")),
        "protos/a.proto:5:9: `t.Foo` and `t.FooAsync` both become `FooAsync` in Rust"
    );
    assert_eq!(
        mistake(&format!("message A {{}}\nservice Foo {methods}\nservice Foo_async {{}}\n")),
        "protos/a.proto:5:9: `t.Foo` and `t.Foo_async` both become `foo_async_service()` in Rust"
    );
}

#[test]
fn fields_with_the_same_number_are_reported() {
    assert_eq!(
        mistake("message A {\n  int32 a = 1;\n  oneof choice {\n    int32 b = 0x1;\n  }\n}\n"),
        "protos/a.proto:6:15: field number '1' is already used (line 4: first defined here)"
    );
}

#[test]
fn numbers_that_no_field_can_have_are_reported() {
    assert_eq!(
        mistake("message A {\n  int32 a = 0;\n}\n"),
        "protos/a.proto:4:13: message numbers must be between 1 and 536870911"
    );
    assert_eq!(
        mistake("message A {\n  int32 a = 19000;\n}\n"),
        "protos/a.proto:4:13: invalid field number '19000'; field numbers 19000 to 19999 are reserved"
    );
}

#[test]
fn a_name_that_is_declared_twice_is_reported() {
    assert_eq!(
        mistake("message A {}\nservice A {}\n"),
        "protos/a.proto:4:9: name 't.A' is defined twice (line 3: first defined here)"
    );
    let method = "message A {}\nservice S {\n  rpc Add(A) returns (A);\n  rpc Add(A) returns (A) {}\n}\n";
    assert_eq!(mistake(method), "protos/a.proto:6:7: name 't.S.Add' is defined twice (line 5: first defined here)");
}

#[test]
fn an_enum_without_values_is_reported() {
    assert_eq!(
        mistake("enum E {}\nmessage A { E e = 1; }\n"),
        "protos/a.proto:3:1: enums must have at least one value"
    );
    assert_eq!(mistake("enum E {\n  ONE = 1;\n}\n"), "protos/a.proto:4:9: the first value for proto3 enums must be 0");
}

#[test]
fn all_mistakes_of_a_kind_are_reported_at_once() {
    let protos = Protos::new(&[("a.proto", "syntax = \"proto3\";\nimport \"x.proto\";\nimport \"y.proto\";\n")]);
    assert_eq!(protos.generate(&["a.proto", "b.proto"]).unwrap_err().len(), 3);

    let contents = "syntax = \"proto3\";\nmessage A {\n  Foo a = 1;\n  Bar b = 2;\n}\n";
    let protos = Protos::new(&[("a.proto", contents), ("b.proto", "syntax = \"proto3\"")]);
    assert_eq!(
        protos.generate(&["a.proto", "b.proto"]).unwrap_err(),
        [
            "protos/a.proto:3:3: name 'Foo' is not defined",
            "protos/a.proto:4:3: name 'Bar' is not defined",
            "protos/b.proto:1:18: expected ';', but reached end of file",
        ]
    );
}
